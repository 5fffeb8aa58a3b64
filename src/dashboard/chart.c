/*
 * chart.c
 *		Numbers drawn with characters.
 *
 * What is above zero can be seen, however small it is beside the rest; what is zero or less is not drawn. NaN, like
 * NULL, stands for no number. Block elements are as wide as a letter, and a terminal that has none gets ASCII.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/float.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/settings.h"
#include "dashboard/chart.h"

#define MAX_WIDTH 1000
#define BAR_STEPS 8
#define SPARK_LEVELS 8
#define HEAT_LEVELS 5

static const char *const bar_blocks[BAR_STEPS + 1] = {
	"", "\342\226\217", "\342\226\216", "\342\226\215", "\342\226\214", "\342\226\213", "\342\226\212", "\342\226\211",
	"\342\226\210"				/* U+258F to U+2588: one to eight eighths, from the left */
};
static const char *const spark_blocks[SPARK_LEVELS] = {
	"\342\226\201", "\342\226\202", "\342\226\203", "\342\226\204", "\342\226\205", "\342\226\206", "\342\226\207",
	"\342\226\210"				/* U+2581 to U+2588: one to eight eighths, from below */
};
static const char *const spark_ascii[SPARK_LEVELS] = {"_", ".", ":", "-", "=", "+", "*", "#"};
static const char *const heat_blocks[HEAT_LEVELS] = {
	" ", "\342\226\221", "\342\226\222", "\342\226\223", "\342\226\210" /* U+2591 to U+2593, U+2588: ever darker */
};
static const char *const heat_ascii[HEAT_LEVELS] = {" ", ".", "+", "*", "#"};

/* The numbers that a sparkline is to show. */
typedef struct SparklineValues
{
	int			n;
	int			room;
	double	   *values;
} SparklineValues;

/*
 * How many of so many steps a value reaches: all from the maximum on, one at least above zero, none from zero down.
 * Whole steps are found as exactly as the division is.
 */
static int
steps_of(double value, double max_value, int steps)
{
	if (isnan(value) || value <= 0)
		return 0;
	if (value >= max_value)
		return steps;
	return (int) Max(rint(value / max_value * steps), 1);
}

/* Draw a value as a bar, as wide as width characters if it is the maximum. */
void
draw_bar(StringInfo out, double value, double max_value, int width)
{
	int			steps = use_ascii() ? 1 : BAR_STEPS;
	int			length = steps_of(value, max_value, width * steps);

	for (int i = 0; i < length / steps; i++)
		appendStringInfoString(out, steps == 1 ? "#" : bar_blocks[BAR_STEPS]);
	appendStringInfoString(out, bar_blocks[length % steps]);
}

/* Draw a value as a shade of one character. */
void
draw_heat(StringInfo out, double value, double max_value)
{
	int			level = steps_of(value, max_value, HEAT_LEVELS - 1);

	appendStringInfoString(out, use_ascii() ? heat_ascii[level] : heat_blocks[level]);
}

/*
 * Draw values as heights, a character each, from the least or zero at the bottom to the greatest at the top. Infinite
 * ones do not count for this; where there is no number, there is a gap.
 */
void
draw_sparkline(StringInfo out, const double *values, int n)
{
	const char *const *levels = use_ascii() ? spark_ascii : spark_blocks;
	double		least = 0;
	double		greatest = 0;

	for (int i = 0; i < n; i++)
	{
		if (!isfinite(values[i]))
			continue;
		least = Min(least, values[i]);
		greatest = Max(greatest, values[i]);
	}
	for (int i = 0; i < n; i++)
		/* halves, since the distance of two doubles may be more than a double */
		appendStringInfoString(out, isnan(values[i]) ? " " :
							   levels[steps_of(values[i] / 2 - least / 2, greatest / 2 - least / 2,
											   SPARK_LEVELS - 1)]);
}

/* The width of a bar. Raises 22023 if nobody can want it. */
static int
width_argument(FunctionCallInfo fcinfo, int n)
{
	int			width = PG_ARGISNULL(n) ? 20 : PG_GETARG_INT32(n);

	if (width < 1 || width > MAX_WIDTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("width %d is out of range", width),
				 errhint("A bar is 1 to %d characters wide.", MAX_WIDTH)));
	return width;
}

/* Is an argument no number? */
static bool
is_no_number(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) || isnan(PG_GETARG_FLOAT8(n));
}

/* bar(value, max_value, width) -> text */
PG_FUNCTION_INFO_V1(support_bar);
Datum
support_bar(PG_FUNCTION_ARGS)
{
	int			width = width_argument(fcinfo, 2);
	StringInfoData out;

	if (is_no_number(fcinfo, 0) || is_no_number(fcinfo, 1))
		PG_RETURN_NULL();
	initStringInfo(&out);
	draw_bar(&out, PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), width);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* heat(value, max_value) -> text */
PG_FUNCTION_INFO_V1(support_heat);
Datum
support_heat(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	if (is_no_number(fcinfo, 0) || is_no_number(fcinfo, 1))
		PG_RETURN_NULL();
	initStringInfo(&out);
	draw_heat(&out, PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* The transition of the aggregate sparkline(value) */
PG_FUNCTION_INFO_V1(support_sparkline_add);
Datum
support_sparkline_add(PG_FUNCTION_ARGS)
{
	SparklineValues *values = PG_ARGISNULL(0) ? NULL : (SparklineValues *) PG_GETARG_POINTER(0);
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		refuse_lone_call();
	if (values == NULL)
	{
		values = MemoryContextAllocZero(context, sizeof(SparklineValues));
		values->room = 32;
		values->values = MemoryContextAlloc(context, values->room * sizeof(double));
	}
	if (values->n == values->room)
	{
		values->room *= 2;
		values->values = repalloc(values->values, values->room * sizeof(double));
	}
	values->values[values->n++] = is_no_number(fcinfo, 1) ? get_float8_nan() : PG_GETARG_FLOAT8(1);
	PG_RETURN_POINTER(values);
}

/* The result of the aggregate: NULL without a row */
PG_FUNCTION_INFO_V1(support_sparkline_result);
Datum
support_sparkline_result(PG_FUNCTION_ARGS)
{
	SparklineValues *values = PG_ARGISNULL(0) ? NULL : (SparklineValues *) PG_GETARG_POINTER(0);
	StringInfoData out;

	if (values == NULL)
		PG_RETURN_NULL();
	initStringInfo(&out);
	draw_sparkline(&out, values->values, values->n);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
