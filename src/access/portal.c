/*
 * portal.c
 *		What customers do by functions.
 *
 * A role that customers come by has no right on the tables: row security hides no columns. It opens tickets, answers and adds
 * files by functions, which work with the rights of the desk's owner then, once they have seen that the ticket is the acting
 * user's, or of an organization whose customers see each other's, and that nothing is asked for but what a customer may choose.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "access/portal.h"
#include "access/sight.h"
#include "base/access_list.h"
#include "base/actor.h"
#include "base/errors.h"
#include "base/plan.h"

enum
{
	IS_OWN_REQUEST,
	IS_OWN_COMMENT,
	ORGANIZATION
};

static Statement statements[] = {
	[IS_OWN_REQUEST] = {
		.text = "SELECT 1 FROM support.tickets"
		" WHERE id = $1 AND deleted_at IS NULL AND (customer_id = $2 OR organization_id = $3)",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 3, .argtypes = {INT8OID, INT8OID, INT8OID}, .as_owner_of = PUBLIC_TABLE("tickets")
	},
	[IS_OWN_COMMENT] = {
		.text = "SELECT 1 FROM support.comments"
		" WHERE ticket_id = $1 AND id = $2 AND author_id = $3 AND NOT is_private AND deleted_at IS NULL",
		.columns = {{INT4OID, NOT_NULL}},
		.nargs = 3, .argtypes = {INT8OID, INT8OID, INT8OID}, .as_owner_of = PUBLIC_TABLE("comments")
	},
	[ORGANIZATION] = {
		.text = "SELECT organization_id FROM support.users WHERE id = $1",
		.columns = {{INT8OID}},
		.nargs = 1, .argtypes = {INT8OID}, .as_owner_of = PUBLIC_TABLE("users")
	}
};

/* The customer who acts. Raises 55000 if nobody does, or one who was deactivated since. */
static int64
acting_customer(void)
{
	int64		user_id;

	if (!acting_user(&user_id))
		refuse_no_actor();
	if (my_active_id() != user_id)
		refuse_inactive_user(user_id);
	return user_id;
}

/*
 * If the role at hand is one that customers come by, and no more, act with the owner's rights until become_caller(), and return
 * true. Raises 55000 if nobody acts.
 */
bool
enter_as_customer(Caller *caller)
{
	Oid			tickets = desk_relation("support", "tickets");

	if (!is_customers(GetUserId()) || pg_class_aclcheck(tickets, GetUserId(), ACL_SELECT) == ACLCHECK_OK)
		return false;
	(void) acting_customer();
	become_owner(tickets, caller);
	return true;
}

/* The organization that the acting customer belongs to, whose ticket his will be; false if there is none. */
bool
own_organization(int64 *organization_id)
{
	Args		args = {0};

	arg_int64(&args, acting_customer());
	if (run(&statements[ORGANIZATION], &args) == 0 || result_is_null(0, 1))
		return false;
	*organization_id = result_int64(0, 1);
	return true;
}

/* Raise P0002 unless the ticket is one that the acting customer sees, whatever else it is. */
void
check_own_request(int64 ticket_id)
{
	Args		args = {0};

	arg_int64(&args, ticket_id);
	arg_int64(&args, acting_customer());
	arg_int64(&args, my_shared_organization());
	if (run(&statements[IS_OWN_REQUEST], &args) == 0)
		refuse_missing("ticket", ticket_id);
}

/* Raise P0002 unless the acting customer wrote the comment. */
void
check_own_comment(int64 ticket_id, int64 comment_id)
{
	Args		args = {0};

	arg_int64(&args, ticket_id);
	arg_int64(&args, comment_id);
	arg_int64(&args, acting_customer());
	if (run(&statements[IS_OWN_COMMENT], &args) == 0)
		refuse_missing_comment(ticket_id, comment_id);
}

/* Raise 42501: a customer asks for what is not his to choose. */
void
refuse_choice(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("%s is not for customers to choose", name),
			 errhint("Leave the argument out.")));
}

/* Raise 42501 unless an argument is NULL. */
void
check_left_open(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (!PG_ARGISNULL(n))
		refuse_choice(name);
}

/* Raise 42501 unless an argument is NULL, or the acting customer. */
void
check_names_me(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (!PG_ARGISNULL(n) && PG_GETARG_INT64(n) != acting_customer())
		refuse_choice(name);
}
