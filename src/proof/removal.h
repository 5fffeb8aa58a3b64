/*
 * removal.h
 *		Noting what leaves the sealed log.
 */
#ifndef SUPPORT_REMOVAL_H
#define SUPPORT_REMOVAL_H

extern void note_erasure(const int64 *ticket_ids, int n);
extern int64 note_pruning(Oid partition, bool keep_salts);

#endif							/* SUPPORT_REMOVAL_H */
