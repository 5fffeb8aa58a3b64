/*
 * mentions.h
 *		What an erasure leaves.
 */
#ifndef SUPPORT_MENTIONS_H
#define SUPPORT_MENTIONS_H

/* Told of what stays: where, how many, and what it is. */
typedef void (*TellWhatStays) (const char *table_name, int64 records, const char *what, void *arg);

extern void tell_what_stays(int64 user_id, const int64 *ticket_ids, int n, TellWhatStays tell, void *arg);

#endif							/* SUPPORT_MENTIONS_H */
