/*
 * leaves.h
 *		Noting what leaves the sealed log.
 */
#ifndef SUPPORT_LEAVES_H
#define SUPPORT_LEAVES_H

extern void leaves_erased(const int64 *ticket_ids, int n);
extern int64 leaves_pruned(Oid partition, bool keep_salts);

#endif							/* SUPPORT_LEAVES_H */
