/*
 * distributed.h
 *		Tables whose rows lie on other nodes.
 */
#ifndef SUPPORT_DISTRIBUTED_H
#define SUPPORT_DISTRIBUTED_H

#include "utils/relcache.h"

extern bool is_distributed(Relation rel);

#endif							/* SUPPORT_DISTRIBUTED_H */
