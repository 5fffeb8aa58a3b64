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

/* Have n of a room's hooks called from now on, after those that came before them. They live as long as the library. */
void
add_row_hooks(RowHooks *added, int n)
{
	for (int i = 0; i < n; i++)
	{
		RowHooks  **last = added[i].table->hooks;

		while (*last != NULL)
			last = &(*last)->next;
		*last = &added[i];
	}
}

void
complete_row(RowChange *change)
{
	for (RowHooks *hooks = *change->table->hooks; hooks != NULL; hooks = hooks->next)
		if (hooks->complete != NULL)
			hooks->complete(change);
}

void
check_change(const RowChange *change)
{
	for (RowHooks *hooks = *change->table->hooks; hooks != NULL; hooks = hooks->next)
		if (hooks->check != NULL)
			hooks->check(change);
}

void
count_change(const RowChange *change)
{
	for (RowHooks *hooks = *change->table->hooks; hooks != NULL; hooks = hooks->next)
		if (hooks->count != NULL)
			hooks->count(change);
}

void
follow_change(const RowChange *change)
{
	for (RowHooks *hooks = *change->table->hooks; hooks != NULL; hooks = hooks->next)
		if (hooks->follow != NULL)
			hooks->follow(change);
}

/*
 * Find what an UPDATE changes, once for all who ask. What a hook sets afterwards is not looked at again. The answer is the
 * current memory context's.
 */
void
find_differences(RowChange *change)
{
	const TableShape *shape = change->new->shape;

	change->differs = palloc0(sizeof(bool) * shape->natts);
	change->columns = 0;
	for (int i = 0; i < shape->natts; i++)
	{
		if (shape->kinds[i] == IMAGE_NONE || !row_differs(change->old, change->new, i))
			continue;
		change->differs[i] = true;
		change->columns |= shape->column_bits[i];
	}
}

/* An attribute (from 0) has the old value after all. */
void
forget_difference(RowChange *change, int attribute)
{
	change->differs[attribute] = false;
	change->columns &= ~change->new->shape->column_bits[attribute];
}

/* Leave a column as it was, whatever the client says. */
void
take_over(RowChange *change, int column)
{
	row_take_over(change->old, change->new, column);
	forget_difference(change, change->new->shape->columns[column] - 1);
}
