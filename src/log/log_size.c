/*
 * log_size.c
 *		How much an entry of the audit log holds.
 *
 * COPY, and so pg_dump, forms the text of a row in a piece of memory of 1 GB, and the log has a changed row twice: as it was
 * and as it is. There a byte of a text may take seven: a control character is \u0001 in JSON, whose backslash COPY doubles.
 * A number of ten bytes may have a hundred thousand digits. What could not be dumped is refused before it is logged; and a
 * row that the log could not keep, as it must when the row is changed or deleted, before it is stored.
 *
 * The desk's own columns have limits far below that, see value_rules.c. Those that an application adds have none. Most rows
 * are so small that nothing need be added up but the sizes they are stored with.
 */
#include "postgres.h"

#include "utils/jsonb.h"

#include "base/json.h"
#include "base/value_rules.h"
#include "log/log_size.h"

/* The text of both images of an entry, as COPY writes it; the rest of the entry is small. */
#define MAX_ENTRY_TEXT 1000000000
#define MAX_IMAGE_TEXT (MAX_ENTRY_TEXT / 2)

/* An image itself: jsonb has room for 256 MB. */
#define MAX_IMAGE_BYTES 200000000

/* An application's event keeps as much as the largest text, see desk_settings.c. */
#define MAX_EVENT_VALUE (32 * 1024 * 1024)

/* How many bytes of text come of a byte: of a text, of a file, and of numbers. */
#define TEXT_GROWTH 7
#define BYTEA_GROWTH 2
#define NUMBER_GROWTH 16384

/* Images of so many bytes have less text than COPY can write, whatever they hold. */
#define SMALL_ENTRY (MAX_ENTRY_TEXT / NUMBER_GROWTH)

/* 54000: what the log would have to keep could not be dumped. */
pg_noreturn static void
refuse_entry(const char *what, const char *table_name, uint64 size, uint64 limit)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("%s%s is too large for the audit log", what, table_name),
			 errdetail("Its text has %llu bytes or more, as a dump would write it, and may have %llu.",
					   (unsigned long long) size, (unsigned long long) limit),
			 errhint("Keep what is large elsewhere, and in the row where it is.")));
}

/*
 * Could the image of the whole row be too large? Raises 54000 where it would be, whatever the row holds; false where it
 * cannot.
 */
bool
may_be_too_large(const Row *row)
{
	uint64		least = 0;
	uint64		most = 0;

	for (int i = 0; i < row->shape->natts; i++)
	{
		ImageKind	kind = row->shape->kinds[i];
		uint64		size;

		if (row->nulls[i] || kind == IMAGE_NONE || TupleDescAttr(row->desc, i)->attlen != -1)
			continue;
		size = size_of_value(row->values[i]);
		if (kind == IMAGE_TEXT || kind == IMAGE_JSONB)
			least += size;
		if (kind == IMAGE_BYTEA)
			least += size * BYTEA_GROWTH;
		most += size * (kind == IMAGE_TEXT ? TEXT_GROWTH : kind == IMAGE_BYTEA ? BYTEA_GROWTH : NUMBER_GROWTH);
	}
	if (least > MAX_IMAGE_BYTES)
		refuse_entry("a row of support.", row->shape->table->name, least, MAX_IMAGE_BYTES);
	return most > MAX_IMAGE_TEXT;
}

/* The bytes of a document's text, as COPY writes it. */
static uint64
text_size(Datum document)
{
	JsonTextSize size = json_text_size(DatumGetJsonbP(document), MAX_ENTRY_TEXT);

	return size.bytes + size.backslashes;
}

/* Raise 54000 for the image of a whole row that an entry could not have twice. */
void
check_image_size(const char *table_name, Datum image)
{
	uint64		size = text_size(image);

	if (size > MAX_IMAGE_TEXT)
		refuse_entry("a row of support.", table_name, size, MAX_IMAGE_TEXT);
}

/* Raise 54000 for an entry whose images, 0 for none, could not be dumped. */
void
check_entry_size(const char *table_name, Datum old_value, Datum new_value)
{
	uint64		size = 0;
	uint64		stored = 0;

	if (old_value != (Datum) 0)
		stored += size_of_value(old_value);
	if (new_value != (Datum) 0)
		stored += size_of_value(new_value);
	if (stored <= SMALL_ENTRY)
		return;
	if (old_value != (Datum) 0)
		size += text_size(old_value);
	if (new_value != (Datum) 0)
		size += text_size(new_value);
	if (size > MAX_ENTRY_TEXT)
		refuse_entry(table_name ? "a change of support." : "an event", table_name ? table_name : "", size, MAX_ENTRY_TEXT);
}

/* Raise 54000 for a value of an application's event that is larger than any text. */
void
check_event_size(const char *column, Datum value)
{
	uint64		size = json_text_size(DatumGetJsonbP(value), MaxAllocSize).bytes;

	if (size > MAX_EVENT_VALUE)
		refuse_entry(column, " of an event", size, MAX_EVENT_VALUE);
}
