/*
 * owner.h
 *		Acting as the desk's owner, with names that mean what we say.
 */
#ifndef SUPPORT_OWNER_H
#define SUPPORT_OWNER_H

/* Where temporary objects are not named they come first. */
#define SAFE_SEARCH_PATH "pg_catalog, pg_temp"

/* Who is asking, kept aside while the desk's owner acts. */
typedef struct Caller
{
	Oid			user;
	int			context;
	int			level;			/* of settings */
} Caller;

extern void fix_setting(const char *name, const char *value);
extern int	enter_safe_path(void);
extern void leave_safe_path(int level);
extern Oid	desk_relation(const char *schema, const char *name);
extern Oid	table_owner(Oid relid);
extern bool has_owners_rights(Oid role);
extern char *qualified_name(Oid relid);
extern void become_desk_owner(const char *what, Caller *caller);
extern void become_role(Oid role, int context, Caller *caller);
extern void become_owner(Oid relid, Caller *caller);
extern void become_caller(const Caller *caller);
extern Oid	user_at_hand(void);

#endif							/* SUPPORT_OWNER_H */
