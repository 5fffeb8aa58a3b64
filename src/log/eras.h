/*
 * eras.h
 *		The clusters and lines of time that the log has lived in, and which transactions can have written to it.
 */
#ifndef SUPPORT_ERAS_H
#define SUPPORT_ERAS_H

#include "log/log_position.h"

typedef struct Era
{
	int32		era;
	int64		system_identifier;
	Oid			database;
	int64		began_xid;		/* no transaction before it can have written to the log */
	int64		first_xid;		/* all transactions of eras before are older */
	int64		released_xid;	/* no transaction up to it can write any more */
	int64		sealed_xid;		/* how far it is sealed, 0 for not at all; only read_sealed_eras() knows */
} Era;

/* What the snapshot tells of the log's eras, and the transaction that was asked about last. */
typedef struct Eras
{
	int			n;
	Era		   *list;			/* by number */
	int32		current;		/* 0 if nothing has been written in this cluster yet */
	int32		last_sealed;	/* 0 if nothing is sealed */
	Datum		snapshot;
	int64		oldest_xid;		/* the oldest transaction that runs */
	int64		own_xid;		/* 0 for none */
	int64		asked_xid;
	bool		is_written;		/* can it have written what the snapshot sees? */
} Eras;

extern void eras_init(void);
extern int32 current_era(void);
extern int32 known_era(void);
extern void read_eras(Eras *eras);
extern void read_sealed_eras(Eras *eras);
extern const Era *find_era(const Eras *eras, int32 era);
extern const Era *era_after(const Eras *eras, int32 era);
extern bool same_cluster(const Era *a, const Era *b);
extern int64 released_xid(const Eras *eras, int32 era);
extern int32 first_era_from(const Eras *eras, int64 xid);
extern bool is_sealed_position(const Eras *eras, const Era *era, int64 xid);
extern const char *flaw_of_origin(Eras *eras, const Era *era, int64 xid);
extern bool is_written_before(int64 xid, TransactionId writer);

#endif							/* SUPPORT_ERAS_H */
