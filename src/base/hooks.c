/*
 * hooks.c
 *		What rooms do when rows of the desk's tables change.
 *
 * The triggers are the same for all tables. What a table's rows are held to, and what follows from their changes, is in
 * rooms that they know nothing of: each adds its hooks when the library is loaded, ground floor first, and in this
 * order they are called. Several rooms may have hooks for one table.
 */
#include "postgres.h"

#include "base/hooks.h"

#define MAX_HOOKS 32

static const RowHooks *hooks[MAX_HOOKS];
static int	nhooks;

/* Have a room's hooks called from now on. They live as long as the library. */
void
add_row_hooks(const RowHooks *added)
{
	if (nhooks == MAX_HOOKS)
		elog(ERROR, "more than %d row hooks", MAX_HOOKS);
	hooks[nhooks++] = added;
}

void
complete_row(RowChange *change)
{
	for (int i = 0; i < nhooks; i++)
		if (hooks[i]->table == change->table && hooks[i]->complete != NULL)
			hooks[i]->complete(change);
}

void
check_change(const RowChange *change)
{
	for (int i = 0; i < nhooks; i++)
		if (hooks[i]->table == change->table && hooks[i]->check != NULL)
			hooks[i]->check(change);
}

void
count_change(const RowChange *change)
{
	for (int i = 0; i < nhooks; i++)
		if (hooks[i]->table == change->table && hooks[i]->count != NULL)
			hooks[i]->count(change);
}

void
follow_change(const RowChange *change)
{
	for (int i = 0; i < nhooks; i++)
		if (hooks[i]->table == change->table && hooks[i]->follow != NULL)
			hooks[i]->follow(change);
}

/*
 * Find what an UPDATE changes, once for all who ask. What a hook sets afterwards is not looked at again. The answer is the
 * current memory context's.
 */
void
find_differences(RowChange *change)
{
	const TableShape *shape = change->new->shape;

	StaticAssertStmt(sizeof(change->columns) * BITS_PER_BYTE >= MAX_DESK_COLUMNS, "a bit for each column");
	change->differs = palloc(sizeof(bool) * shape->natts);
	change->columns = 0;
	for (int i = 0; i < shape->natts; i++)
		change->differs[i] = shape->kinds[i] != IMAGE_NONE && row_differs(change->old, change->new, i);
	for (int i = 0; i < change->table->ncolumns; i++)
		if (change->differs[shape->columns[i] - 1])
			change->columns |= UINT64CONST(1) << i;
}

/* Leave a column as it was, whatever the client says. */
void
take_over(RowChange *change, int column)
{
	row_take_over(change->old, change->new, column);
	change->differs[change->new->shape->columns[column] - 1] = false;
	change->columns &= ~(UINT64CONST(1) << column);
}
