/*
 * access_list.h
 *		Which database roles have which access to the desk.
 */
#ifndef SUPPORT_ACCESS_LIST_H
#define SUPPORT_ACCESS_LIST_H

/* What a role of the database may see and do. */
typedef enum AccessKind
{
	ACCESS_APP,
	ACCESS_LEAD,
	ACCESS_AGENT,
	ACCESS_LIGHT_AGENT,
	ACCESS_CUSTOMER,
	ACCESS_AUDITOR,
	ACCESS_REPORTER,
	ACCESS_LEFT_OUT,
	ACCESS_KINDS
} AccessKind;

extern const char *const access_names[ACCESS_KINDS];

extern bool access_named(const char *name, AccessKind *kind);
extern bool any_access_is_granted(void);
extern bool speaks_for_others(Oid role);
extern bool is_customers(Oid role);
extern void access_list_init(void);

#endif							/* SUPPORT_ACCESS_LIST_H */
