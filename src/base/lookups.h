/*
 * lookups.h
 *		Statuses, transitions, priorities and roles, as the session keeps them.
 */
#ifndef SUPPORT_LOOKUPS_H
#define SUPPORT_LOOKUPS_H

/* What a status means. */
typedef enum Category
{
	CATEGORY_NEW,
	CATEGORY_OPEN,
	CATEGORY_PENDING,
	CATEGORY_HOLD,
	CATEGORY_SOLVED,
	CATEGORY_CLOSED
} Category;

extern void lookups_init(void);
extern Category status_category(const char *status);
extern bool find_category(const char *status, Category *category);
extern bool category_named(const char *name, Category *category);
extern const char *category_name(Category category);
extern char *reopen_status(void);
extern bool is_solved(Category category);
extern bool is_solved_status(const char *status);
extern void check_priority(const char *name, const char *table);
extern void check_transition(int64 ticket_id, const char *from, const char *to);
extern const char *role_of_user(int64 user_id);
extern bool answers_customers(const char *role);

#endif							/* SUPPORT_LOOKUPS_H */
