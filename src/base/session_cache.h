/*
 * session_cache.h
 *		What a session keeps of tables beyond the statement that read them.
 */
#ifndef SUPPORT_SESSION_CACHE_H
#define SUPPORT_SESSION_CACHE_H

#define MAX_CACHED_TABLES 5

typedef struct SessionCache
{
	/* the tables that it was read from: it is stale once one of them has changed */
	Oid			tables[MAX_CACHED_TABLES];

	/* or what else a change of a relation, of all for InvalidOid, makes of it. It comes at any time, so it only marks */
	void		(*relation_changed) (Oid relid);

	/* the name of a role or schema changed: likewise */
	void		(*role_changed) (void);
	void		(*schema_changed) (void);

	bool		stale;			/* to be read again at the next look */
	bool		in_transaction; /* some of it was read in the present transaction */
	bool		of_old_snapshot;	/* and that sees no later changes */
	struct SessionCache *next;
} SessionCache;

extern void session_caches_init(void);
extern void add_session_cache(SessionCache *cache);
extern void note_reading(SessionCache *cache);
extern void note_reading_by_snapshot(SessionCache *cache);

#endif							/* SUPPORT_SESSION_CACHE_H */
