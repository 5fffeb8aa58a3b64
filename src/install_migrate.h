/*
 * install_migrate.h
 *		From one layout to the next.
 */
#ifndef SUPPORT_INSTALL_MIGRATE_H
#define SUPPORT_INSTALL_MIGRATE_H

#include "nodes/parsenodes.h"

/* What support_internal.desk_layout() tells. */
typedef struct Layout
{
	int			number;
	List	   *migrations;		/* of Migration, by number */
	char	   *text;			/* what makes the desk */
	List	   *statements;		/* the same, parsed; of RawStmt */
} Layout;

extern Layout *read_layout(char *text);
extern bool has_migration(const Layout *layout, int from);
extern void lock_desk(const Layout *layout, bool tables);
extern void migrate(const Layout *layout, int from);
extern List *rights_on_parts(void);
extern void give_rights_again(List *rights);

extern uint64 execute(const char *statement);
extern void run_statement(const char *text, RawStmt *raw);

#endif							/* SUPPORT_INSTALL_MIGRATE_H */
