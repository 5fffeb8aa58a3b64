/*
 * column_names.h
 *		What the columns were called that images of the log are of.
 */
#ifndef SUPPORT_COLUMN_NAMES_H
#define SUPPORT_COLUMN_NAMES_H

#include "utils/jsonb.h"

#include "base/row.h"

extern void column_names_init(void);
extern void note_column_names(const TableShape *shape);
extern Jsonb *with_names_of_today(Jsonb *image, const TableShape *shape);

#endif							/* SUPPORT_COLUMN_NAMES_H */
