/*
 * own_relation.h
 *		Which relations are the desk's own.
 */
#ifndef SUPPORT_OWN_RELATION_H
#define SUPPORT_OWN_RELATION_H

#include "base/row.h"

extern void own_relations_init(void);
extern bool is_own_relation(Relation rel, const DeskTable *table);

#endif							/* SUPPORT_OWN_RELATION_H */
