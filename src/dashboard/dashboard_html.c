/*
 * dashboard_html.c
 *		The desk as a page of HTML: one file that needs nothing else, to be read, printed or sent.
 *
 * Everything comes from the report views, support.report(), the backlog and the clocks, under the caller's snapshot and
 * with the caller's rights. The page begins with what the desk is like now and what to do first (page_now.c); what
 * happened in a range of time, beside the range before, comes second (page_range.c), and what the words mean last
 * (page_words.c). On paper, the first two are a sheet each.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "pgtime.h"
#include "utils/builtins.h"

#include "base/actor.h"
#include "dashboard/dashboard_style.h"
#include "dashboard/page.h"

#define DAY_AND_TIME "'FMDD FMMonth YYYY, HH24:MI'"
/* Local time of an instant as text: the zone is $3. */
#define LOCAL(instant, format) "to_char(timezone($3, " instant "), " format ")"

enum
{
	FIND_RANGE,
	FIND_RANGE_BEFORE,
	DESCRIBE_RANGE
};

static Statement statements[] = {
	/* the report checks its arguments, and knows the range where there are none */
	[FIND_RANGE] = {
		.text = "SELECT r.bucket_at, r.bucket_end"
		" FROM support.report('created', $1, $2, time_zone => $3, first_day => $4, last_day => $5) AS r",
		.columns = {{TIMESTAMPTZOID, NOT_NULL}, {TIMESTAMPTZOID, NOT_NULL}},
		.nargs = 5, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, DATEOID, DATEOID}
	},
	/* as many days and hours by the clock of the zone */
	[FIND_RANGE_BEFORE] = {
		.text = "SELECT timezone($3, timezone($3, $1) - (timezone($3, $2) - timezone($3, $1)))",
		.columns = {{TIMESTAMPTZOID, NOT_NULL}},
		.nargs = 3, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID}
	},
	/* whole days by the first and the last of them */
	[DESCRIBE_RANGE] = {
		.text = "SELECT CASE"
		"	WHEN d.from_at = date_trunc('day', d.from_at) AND d.to_at = date_trunc('day', d.to_at) THEN"
		"		CASE WHEN d.to_at > d.from_at + '1 day'::interval"
		"			THEN to_char(d.from_at, 'FMDD FMMonth YYYY') || ' to ' ELSE '' END"
		"		|| to_char(d.to_at - '1 day'::interval, 'FMDD FMMonth YYYY')"
		"	ELSE to_char(d.from_at, " DAY_AND_TIME ") || ' to ' || to_char(d.to_at, " DAY_AND_TIME ") END,"
		" " LOCAL("support.desk_now()", "'FMDay, FMDD FMMonth YYYY, HH24:MI'")
		" FROM (SELECT timezone($3, $1) AS from_at, timezone($3, $2) AS to_at) AS d",
		.columns = {{TEXTOID, NOT_NULL}, {TEXTOID, NOT_NULL}},
		.nargs = 3, .argtypes = {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID}
	}
};

static const Division divisions[] = {
	{3, "hour", "FMDD Mon HH24:MI"},
	{100, "day", "FMDD Mon"},
	{730, "week", "FMDD Mon YYYY"},
	{3700, "month", "Mon YYYY"},
	{0, "year", "YYYY"}
};

/* The division of a range that leaves as many parts as a chart can show. */
static const Division *
division_of(double microseconds)
{
	int			i = 0;

	while (i < lengthof(divisions) - 1 && microseconds > divisions[i].days * (double) USECS_PER_DAY)
		i++;
	return &divisions[i];
}

static void
append_head(DeskPage *page, const char *title)
{
	StringInfo	out = page->out;

	appendStringInfoString(out,
						   "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
						   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
						   "<meta http-equiv=\"Content-Security-Policy\""
						   " content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n");
	html_element(out, "title", "", title);
	appendStringInfo(out, "\n<style>\n%s</style>\n</head>\n<body>\n<main>\n<header>", dashboard_style);
	html_element(out, "h1", "", title);
	html_element(out, "p", "", psprintf("%s, %s", page->now_text, page->time_zone));
	appendStringInfoString(out, "</header>\n");
}

/* The whole page as text, in the caller's memory context. */
static Datum
make_page(DeskPage *page, const char *title)
{
	StringInfoData out;

	initStringInfo(&out);
	page->out = &out;
	append_head(page, title);
	append_present(page);
	append_past(page);
	append_words(page);
	appendStringInfo(&out, "<footer>Made by support_ext %s.</footer>\n</main>\n</body>\n</html>\n",
					 SUPPORT_EXT_VERSION);
	return SPI_datumTransfer(PointerGetDatum(cstring_to_text_with_len(out.data, out.len)), false, -1);
}

/* A range as people say it; when it is now comes along. */
static void
describe_range(DeskPage *page, PageRange *range)
{
	Args		args = {0};

	arg(&args, TimestampTzGetDatum(range->from_at));
	arg(&args, TimestampTzGetDatum(range->to_at));
	arg_text(&args, page->time_zone);
	run_read_only(&statements[DESCRIBE_RANGE], &args);
	range->text = result_text(0, 1);
	page->now_text = result_text(0, 2);
}

/* Find the range as long as the page's that ends where that begins; none where it would begin before time does. */
static void
find_range_before(DeskPage *page)
{
	const PageRange *range = &page->range;
	double		length = (double) range->to_at - (double) range->from_at;
	Args		args = {0};

	/* clocks of a zone are put forward and back by less than these days */
	if ((double) range->from_at - (double) MIN_TIMESTAMP < length + 4 * (double) USECS_PER_DAY ||
		(double) END_TIMESTAMP - (double) range->to_at < 4 * (double) USECS_PER_DAY)
		return;
	arg(&args, TimestampTzGetDatum(range->from_at));
	arg(&args, TimestampTzGetDatum(range->to_at));
	arg_text(&args, page->time_zone);
	run_read_only(&statements[FIND_RANGE_BEFORE], &args);
	page->before.from_at = DatumGetTimestampTz(result(0, 1));
	page->before.to_at = range->from_at;
	if (page->before.from_at < page->before.to_at)
		describe_range(page, &page->before);
}

/* Find the range. Raises 22023 if it is none, or empty, or if there is no such zone. */
static void
find_range(DeskPage *page, FunctionCallInfo fcinfo)
{
	Args		args = {0};
	double		length;

	page->time_zone = PG_ARGISNULL(3) ? pstrdup(pg_get_timezone_name(session_timezone)) :
		text_to_cstring(PG_GETARG_TEXT_PP(3));
	arg_passed(&args, fcinfo, 1);
	arg_passed(&args, fcinfo, 2);
	arg_text(&args, page->time_zone);
	arg_passed(&args, fcinfo, 4);
	arg_passed(&args, fcinfo, 5);
	if (run_read_only(&statements[FIND_RANGE], &args) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is nothing between from_at and to_at"),
				 errhint("A page needs a range of some time, an hour at least to show more than one number.")));
	page->range.from_at = DatumGetTimestampTz(result(0, 1));
	page->range.to_at = DatumGetTimestampTz(result(0, 2));
	length = (double) page->range.to_at - (double) page->range.from_at;
	page->fine = division_of(length);
	page->coarse = division_of(length * 3);
	describe_range(page, &page->range);
	find_range_before(page);
}

/* dashboard_html(title, from_at, to_at, time_zone, first_day, last_day) -> text */
PG_FUNCTION_INFO_V1(support_dashboard_html);
Datum
support_dashboard_html(PG_FUNCTION_ARGS)
{
	char	   *title = PG_ARGISNULL(0) ? "Support desk" : text_to_cstring(PG_GETARG_TEXT_PP(0));
	DeskPage	page = {0};
	Datum		text;
	Call		call;

	begin_call(&call, fcinfo, NO_ACTOR_ARGUMENT);
	find_range(&page, fcinfo);
	text = make_page(&page, title);
	end_call(&call);
	return text;
}
