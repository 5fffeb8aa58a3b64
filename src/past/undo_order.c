/*
 * undo_order.c
 *		The order in which all that somebody did is undone.
 *
 * The newest first, in the order in which the changes were made, but that a removed row comes after the ticket or comment
 * that took it along: it can come back only then. A change that was logged before one that it followed is undone before
 * that: a ticket's versions tell, or that it was inserted. What was purged since is passed over: nothing is left of it.
 *
 * All of that is told by entries of the same ticket and transaction, whoever made them. They are read once, in order, and
 * merged with the entries to undo; none is looked up for each.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "log/log_position.h"
#include "past/undo_order.h"

enum
{
	ENTRIES_OF_ACTOR,
	ENTRIES_OF_TICKETS
};

static Statement statements[] = {
	[ENTRIES_OF_ACTOR] = {
		.text = "SELECT " LOG_COLUMN_NAMES("a.") ","
		"	a.action = 'UPDATE', a.action = 'DELETE',"
		"	a.table_name = 'tickets', a.table_name = 'comments',"
		"	a.version, a.comment_id, a.is_last"
		" FROM support_internal.changes_to_undo($1, $2) AS a",
		.columns = {LOG_COLUMN_TYPES(MAY_BE_NULL), {BOOLOID, NOT_NULL}, {BOOLOID, NOT_NULL}, {BOOLOID},
		{BOOLOID}, {INT8OID}, {TEXTOID}, {BOOLOID, NOT_NULL}},
		.nargs = 2, .argtypes = {INT8OID, TIMESTAMPTZOID}, .names_machinery = true, .replan = true
	},
	[ENTRIES_OF_TICKETS] = {
		.text = "SELECT s.ticket_id, s.era, s.xid, s.id, s.record_id,"
		"	s.action = 'INSERT', s.action = 'UPDATE',"
		"	s.action = 'DELETE', s.action = 'PURGE',"
		"	s.table_name = 'tickets', s.version"
		" FROM support_internal.signs_of_order($1, $2) AS s"
		" ORDER BY s.ticket_id, s.era, s.xid, s.id",
		.columns = {{INT8OID, NOT_NULL}, {INT4OID}, {INT8OID}, {INT8OID, NOT_NULL}, {INT8OID}, {BOOLOID, NOT_NULL},
		{BOOLOID, NOT_NULL}, {BOOLOID, NOT_NULL}, {BOOLOID, NOT_NULL}, {BOOLOID}, {INT8OID}},
		.nargs = 2, .argtypes = {INT8OID, TIMESTAMPTZOID}, .names_machinery = true, .replan = true
	}
};

/* What the first statement finds beside the log's columns: what places the entry. */
enum
{
	STEP_IS_UPDATE = LOG_COLUMNS,
	STEP_IS_DELETE,
	STEP_IS_TICKET,
	STEP_IS_COMMENT,
	STEP_VERSION,
	STEP_COMMENT_ID,
	STEP_IS_LAST,
	STEP_COLUMNS
};

/* The columns of the second. */
enum
{
	SIGN_TICKET_ID,
	SIGN_ERA,
	SIGN_XID,
	SIGN_ID,
	SIGN_RECORD_ID,
	SIGN_IS_INSERT,
	SIGN_IS_UPDATE,
	SIGN_IS_DELETE,
	SIGN_IS_PURGE,
	SIGN_IS_TICKET,
	SIGN_VERSION,
	SIGN_COLUMNS
};

/* A ticket and a transaction. */
typedef struct Scope
{
	int64		ticket_id;
	int32		era;			/* 0 for an entry that names none: it belongs to no scope */
	int64		xid;
} Scope;

/* An entry to undo. */
typedef struct Step
{
	Scope		scope;
	int64		id;
	uint64		row;
	bool		is_update;
	bool		is_delete;
	bool		is_ticket;
	bool		is_comment;
	bool		has_version;
	int64		version;
	int64		comment_id;		/* whose file was removed, 0 for none */
	int64		parent;			/* the entry that took it along, 0 for none */
	int64		earlier;		/* the one that it followed, though logged before it, 0 for none */
	bool		is_purged;
} Step;

/* An entry that tells of others: of a ticket, or that a comment came or went. */
typedef struct Sign
{
	int64		id;
	bool		is_ticket;
	bool		is_insert;
	bool		is_update;
	bool		is_delete;
	int64		record_id;
	int64		version;		/* that an update replaced, PG_INT64_MAX for none */
	int			turn;			/* the next sign, from this one on, by which the ticket comes or goes; n for none */
	int64		least;			/* the least version from this one up to there */
} Sign;

/* The signs of a scope. */
typedef struct Signs
{
	Scope		scope;
	Sign	   *list;			/* by id */
	int			n;
	int			size;
} Signs;

/* All that is to be undone. */
typedef struct Steps
{
	Step	   *list;			/* by scope and id */
	uint64		n;
} Steps;

static int
compare_scopes(const Scope *a, const Scope *b)
{
	if (a->ticket_id != b->ticket_id)
		return a->ticket_id < b->ticket_id ? -1 : 1;
	return compare_positions((LogPosition) {a->era, a->xid, 0}, (LogPosition) {b->era, b->xid, 0});
}

static int
compare_steps(const void *a, const void *b)
{
	const Step *left = a;
	const Step *right = b;
	int			order = compare_scopes(&left->scope, &right->scope);

	return order != 0 ? order : left->id < right->id ? -1 : left->id > right->id;
}

/* The first step that does not come before a place. */
static uint64
first_step(const Steps *steps, const Step *place)
{
	uint64		low = 0;
	uint64		high = steps->n;

	while (low < high)
	{
		uint64		middle = low + (high - low) / 2;

		if (compare_steps(&steps->list[middle], place) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first sign that comes after an entry. */
static int
first_sign_after(const Signs *signs, int64 id)
{
	int			low = 0;
	int			high = signs->n;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (signs->list[middle].id <= id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Of a comment, the entry that removed it, unless it has come back since. */
typedef struct Removal
{
	int64		comment_id;		/* hash key */
	int64		id;				/* 0 for none */
} Removal;

static void
note_removal(int64 *removal, const Sign *sign)
{
	if (sign->is_insert)
		*removal = 0;
	else if (sign->is_delete && *removal == 0)
		*removal = sign->id;
}

/* Find what took the removed rows of a scope along: the ticket or, of a file, the comment, whichever went first. */
static void
find_parents(const Signs *signs, Step *steps, uint64 n)
{
	HASHCTL		ctl = {.keysize = sizeof(int64), .entrysize = sizeof(Removal), .hcxt = CurrentMemoryContext};
	HTAB	   *comments = hash_create("removed comments", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	int64		ticket = 0;
	int			next = 0;

	for (uint64 i = 0; i < n; i++)
	{
		Step	   *step = &steps[i];
		Removal    *removal;
		bool		found;

		for (; next < signs->n && signs->list[next].id < step->id; next++)
		{
			const Sign *sign = &signs->list[next];

			if (sign->is_ticket)
			{
				note_removal(&ticket, sign);
				continue;
			}
			removal = hash_search(comments, &sign->record_id, HASH_ENTER, &found);
			if (!found)
				removal->id = 0;
			note_removal(&removal->id, sign);
		}
		if (!step->is_delete || step->is_ticket)
			continue;
		removal = step->comment_id != 0 ? hash_search(comments, &step->comment_id, HASH_FIND, NULL) : NULL;
		step->parent = ticket;
		if (removal != NULL && removal->id != 0 && (ticket == 0 || removal->id < ticket))
			step->parent = removal->id;
	}
	hash_destroy(comments);
}

/* Prepare the signs of a scope for find_earlier(). */
static void
look_ahead(Signs *signs)
{
	int			turn = signs->n;
	int64		least = PG_INT64_MAX;

	for (int i = signs->n - 1; i >= 0; i--)
	{
		Sign	   *sign = &signs->list[i];

		if (sign->is_ticket && !sign->is_update)
		{
			turn = i;
			least = PG_INT64_MAX;
		}
		else if (sign->is_ticket)
			least = Min(least, sign->version);
		sign->turn = turn;
		sign->least = least;
	}
}

/*
 * Find the last change of the ticket that was logged after an entry but made before it: the ticket was inserted, or its
 * version tells. After the ticket came or went, it is another story.
 */
static int64
find_earlier(const Signs *signs, const Step *step)
{
	int			from = first_sign_after(signs, step->id);
	int			turn = from < signs->n ? signs->list[from].turn : signs->n;
	int			low = from;
	int			high = turn;

	if (turn < signs->n && signs->list[turn].is_insert)
		return signs->list[turn].id;
	if (!step->is_update || !step->is_ticket || !step->has_version)
		return 0;
	/* the least versions grow */
	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (signs->list[middle].least < step->version)
			low = middle + 1;
		else
			high = middle;
	}
	return low > from ? signs->list[low - 1].id : 0;
}

/* Have the signs of a scope tell what they have to of its steps, and forget them. */
static void
heed_signs(Signs *signs, Steps *steps)
{
	Step		place = {.scope = signs->scope, .id = PG_INT64_MIN};
	uint64		from = first_step(steps, &place);
	uint64		upto = from;

	while (upto < steps->n && compare_scopes(&steps->list[upto].scope, &signs->scope) == 0)
		upto++;
	if (upto > from && signs->scope.era != 0)
	{
		find_parents(signs, &steps->list[from], upto - from);
		look_ahead(signs);
		for (uint64 i = from; i < upto; i++)
			if (!steps->list[i].is_delete)
				steps->list[i].earlier = find_earlier(signs, &steps->list[i]);
	}
	signs->n = 0;
}

/* A ticket was purged: what was done to it before is passed over. */
static void
heed_purge(Steps *steps, int64 ticket_id, int64 id)
{
	Step		place = {.scope = {.ticket_id = ticket_id, .era = PG_INT32_MIN}};

	for (uint64 i = first_step(steps, &place); i < steps->n && steps->list[i].scope.ticket_id == ticket_id; i++)
		if (steps->list[i].id < id)
			steps->list[i].is_purged = true;
}

/* The ticket and transaction in a row of which era and transaction may be NULL. */
static Scope
scope_in(Datum ticket_id, const Datum *values, const bool *nulls, int era)
{
	if (nulls[era] || nulls[era + 1])
		return (Scope) {DatumGetInt64(ticket_id), 0, 0};
	return (Scope) {DatumGetInt64(ticket_id), DatumGetInt32(values[era]), DatumGetInt64(values[era + 1])};
}

/* Take in a row of the second statement. */
static void
take_sign(Signs *signs, Steps *steps, HeapTuple row, TupleDesc desc)
{
	Datum		values[SIGN_COLUMNS];
	bool		nulls[SIGN_COLUMNS];
	Scope		scope;

	heap_deform_tuple(row, desc, values, nulls);
	scope = scope_in(values[SIGN_TICKET_ID], values, nulls, SIGN_ERA);
	if (signs->n > 0 && compare_scopes(&scope, &signs->scope) != 0)
		heed_signs(signs, steps);
	if (DatumGetBool(values[SIGN_IS_PURGE]))
		heed_purge(steps, scope.ticket_id, DatumGetInt64(values[SIGN_ID]));
	if (signs->n == signs->size)
	{
		signs->size = Max(2 * signs->size, 64);
		signs->list = signs->list ? repalloc(signs->list, sizeof(Sign) * signs->size) :
			palloc(sizeof(Sign) * signs->size);
	}
	signs->scope = scope;
	signs->list[signs->n++] = (Sign) {
		.id = DatumGetInt64(values[SIGN_ID]),
		.is_ticket = !nulls[SIGN_IS_TICKET] && DatumGetBool(values[SIGN_IS_TICKET]),
		.is_insert = DatumGetBool(values[SIGN_IS_INSERT]),
		.is_update = DatumGetBool(values[SIGN_IS_UPDATE]),
		.is_delete = DatumGetBool(values[SIGN_IS_DELETE]),
		.record_id = nulls[SIGN_RECORD_ID] ? 0 : DatumGetInt64(values[SIGN_RECORD_ID]),
		.version = nulls[SIGN_VERSION] ? PG_INT64_MAX : DatumGetInt64(values[SIGN_VERSION])
	};
}

/* The number that a text is; 0 if it is none. */
static int64
number_of(Datum value)
{
	char	   *digits = TextDatumGetCString(value);
	char	   *end;
	int64		number = strtoi64(digits, &end, 10);

	return *end == '\0' ? number : 0;
}

/* The i-th row of the first statement. */
static Step
step_of(SPITupleTable *rows, uint64 i)
{
	Datum		values[STEP_COLUMNS];
	bool		nulls[STEP_COLUMNS];

	heap_deform_tuple(rows->vals[i], rows->tupdesc, values, nulls);
	return (Step) {
		.scope = scope_in(values[LOG_TICKET_ID], values, nulls, LOG_ERA),
		.id = DatumGetInt64(values[LOG_ID]),
		.row = i,
		.is_update = DatumGetBool(values[STEP_IS_UPDATE]),
		.is_delete = DatumGetBool(values[STEP_IS_DELETE]),
		.is_ticket = DatumGetBool(values[STEP_IS_TICKET]),
		.is_comment = DatumGetBool(values[STEP_IS_COMMENT]),
		.has_version = !nulls[STEP_VERSION],
		.version = nulls[STEP_VERSION] ? 0 : DatumGetInt64(values[STEP_VERSION]),
		.comment_id = nulls[STEP_COMMENT_ID] ? 0 : number_of(values[STEP_COMMENT_ID])
	};
}

/* The order of undoing: see above. */
static int
compare_turns(const void *a, const void *b)
{
	const Step *left = a;
	const Step *right = b;
	int64		left_id = left->parent ? left->parent : left->earlier ? left->earlier : left->id;
	int64		right_id = right->parent ? right->parent : right->earlier ? right->earlier : right->id;

	if (left_id != right_id)
		return left_id > right_id ? -1 : 1;
	if ((left->earlier != 0) != (right->earlier != 0))
		return left->earlier != 0 ? -1 : 1;
	if (left->has_version != right->has_version)
		return left->has_version ? 1 : -1;
	if (left->version != right->version)
		return left->version > right->version ? -1 : 1;
	if ((left->parent != 0) != (right->parent != 0))
		return left->parent != 0 ? 1 : -1;
	if (left->is_comment != right->is_comment)
		return left->is_comment ? -1 : 1;
	return left->id > right->id ? -1 : left->id < right->id;
}

/* Read what others tell of the steps. */
static void
read_signs(Steps *steps, const Args *args)
{
	Signs		signs = {0};
	Reader		reader;
	HeapTuple	row;

	open_reader(&reader, &statements[ENTRIES_OF_TICKETS], args);
	while ((row = next_row(&reader)) != NULL)
		take_sign(&signs, steps, row, reader.rows->tupdesc);
	close_reader(&reader);
	if (signs.n > 0)
		heed_signs(&signs, steps);
}

/* What a user, the first argument, has done since an instant, the second. Needs an SPI level, and lives as long. */
UndoList
entries_to_undo(const Args *args)
{
	UndoList	list = {0};
	Steps		steps = {0};

	steps.n = run(&statements[ENTRIES_OF_ACTOR], args);
	list.rows = SPI_tuptable;
	steps.list = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Step) * Max(steps.n, 1));
	list.order = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * Max(steps.n, 1));
	for (uint64 i = 0; i < steps.n; i++)
		steps.list[i] = step_of(list.rows, i);
	qsort(steps.list, steps.n, sizeof(Step), compare_steps);
	read_signs(&steps, args);
	qsort(steps.list, steps.n, sizeof(Step), compare_turns);
	for (uint64 i = 0; i < steps.n; i++)
		if (!steps.list[i].is_purged)
			list.order[list.n++] = steps.list[i].row;
	pfree(steps.list);
	return list;
}

/* The i-th entry to undo, in the current memory context. */
UndoEntry
entry_to_undo(const UndoList *list, uint64 i)
{
	Datum		values[STEP_COLUMNS];
	bool		nulls[STEP_COLUMNS];
	LogRow		row;
	UndoEntry	entry;

	heap_deform_tuple(list->rows->vals[list->order[i]], list->rows->tupdesc, values, nulls);
	memcpy(row.values, values, sizeof(row.values));
	memcpy(row.nulls, nulls, sizeof(row.nulls));
	entry = entry_of(&row);
	entry.is_last = DatumGetBool(values[STEP_IS_LAST]);
	return entry;
}
