/*
 * generated.h
 *		Generated columns of rows that are in no table.
 */
#ifndef SUPPORT_GENERATED_H
#define SUPPORT_GENERATED_H

#include "base/row.h"

typedef struct Generated Generated;

extern Generated *open_generated(Relation rel);
extern void generate_columns(Generated *generated, Row *row);
extern void close_generated(Generated *generated);

#endif							/* SUPPORT_GENERATED_H */
