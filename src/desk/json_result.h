/*
 * json_result.h
 *		The results of statements as one jsonb object.
 */
#ifndef SUPPORT_JSON_RESULT_H
#define SUPPORT_JSON_RESULT_H

#include "base/compat.h"

/* An object that members are added to; those with rows are about the last run of a statement. */
typedef JsonbBuilder Answer;

extern void begin_answer(Answer *answer);
extern void answer_null(Answer *answer, const char *key);
extern void answer_int64(Answer *answer, const char *key, int64 number);
extern void answer_columns(Answer *answer, uint64 row);
extern void answer_rows(Answer *answer, const char *key, uint64 n);
extern void answer_list(Answer *answer, const char *key, uint64 n);
extern Datum end_answer(Answer *answer);

#endif							/* SUPPORT_JSON_RESULT_H */
