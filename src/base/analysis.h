/*
 * analysis.h
 *		What the desk's statements mean, and what they return.
 */
#ifndef SUPPORT_ANALYSIS_H
#define SUPPORT_ANALYSIS_H

#include "executor/spi.h"

#include "base/plan.h"

extern void analysis_init(void);
extern SPIPlanPtr analyse(Statement *statement);
extern void refuse_nulls(const Statement *statement, const SPITupleTable *rows);
extern void refuse_null_among(const Statement *statement, const bool *nulls, int n);

#endif							/* SUPPORT_ANALYSIS_H */
