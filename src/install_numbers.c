/*
 * install_numbers.c
 *		The sequence that ticket numbers are drawn from.
 *
 * The default of tickets.ticket_number is a function without arguments, so the server cannot see that it needs a sequence.
 * We tell it, so that DROP SEQUENCE is refused as it is for any other default. A dump does not tell: where somebody dropped
 * the sequence all the same, the new one goes on after the numbers that there are.
 */
#include "postgres.h"

#include "access/attnum.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/settings.h"
#include "install_migrate.h"
#include "install_numbers.h"

static Oid
relation_named(const char *name)
{
	return get_relname_relid(name, get_namespace_oid("support", false));
}

/* Is the sequence there? */
bool
has_numbers(void)
{
	return OidIsValid(relation_named("ticket_number_seq"));
}

/*
 * Have a sequence that was made anew go on after the greatest number that it could have given a ticket, or one that was
 * removed and may come back.
 */
void
go_on_numbering(void)
{
	const char *prefix = quote_literal_cstr(ticket_prefix);

	execute(psprintf("SELECT setval('support.ticket_number_seq', n.last)"
					 " FROM (SELECT max(substr(t.number, length(%s) + 1)::bigint) AS last"
					 " FROM (SELECT ticket_number AS number FROM support.tickets"
					 " UNION ALL SELECT e.old_value ->> 'ticket_number' FROM support_internal.recycle_bin AS b"
					 " JOIN support.audit_log AS e ON e.ticket_id = b.ticket_id AND e.id = b.audit_id) AS t"
					 " WHERE starts_with(t.number, %s) AND substr(t.number, length(%s) + 1) ~ '^[1-9][0-9]{0,17}$') AS n"
					 " WHERE n.last IS NOT NULL", prefix, prefix, prefix));
}

/* Does the server know that the default needs the sequence? */
static bool
is_tied(const ObjectAddress *of_column, const ObjectAddress *sequence)
{
	return execute(psprintf("SELECT FROM pg_depend WHERE classid = %u AND objid = %u AND refclassid = %u AND refobjid = %u",
							of_column->classId, of_column->objectId, sequence->classId, sequence->objectId)) > 0;
}

/* Is the default ours, which needs it? */
static bool
draws_numbers(Oid default_id)
{
	return execute(psprintf("SELECT FROM pg_depend WHERE classid = 'pg_attrdef'::regclass AND objid = %u"
							" AND refclassid = 'pg_proc'::regclass AND refobjid = 'support.next_ticket_number()'::regprocedure",
							default_id)) > 0;
}

/* Have the server know it. */
void
tie_numbers(void)
{
	Oid			tickets = relation_named("tickets");
	Oid			default_id = GetAttrDefaultOid(tickets, get_attnum(tickets, "ticket_number"));
	ObjectAddress of_column;
	ObjectAddress sequence;

	if (!OidIsValid(default_id) || !draws_numbers(default_id))
		return;
	ObjectAddressSet(of_column, AttrDefaultRelationId, default_id);
	ObjectAddressSet(sequence, RelationRelationId, relation_named("ticket_number_seq"));
	if (!is_tied(&of_column, &sequence))
		recordDependencyOn(&of_column, &sequence, DEPENDENCY_NORMAL);
}
