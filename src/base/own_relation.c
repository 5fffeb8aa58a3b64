/*
 * own_relation.c
 *		Which relations are the desk's own.
 *
 * A trigger function trusts what it is fired for: it writes to the log, and keeps books, with the owner's rights. So a
 * relation is asked who it is, not what columns it has. The desk's table lies in schema support under its name. One that
 * was renamed, and a shard, lie in the desk's schemas and belong to the owner of the log, which nobody else's table
 * does. A partition is what its root is: only the owner of a table makes one of it.
 *
 * What was found is kept for the session until the relcache says that the relation changed.
 */
#include "postgres.h"

#include "catalog/partition.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"

#include "base/own_relation.h"
#include "base/plan.h"
#include "base/session_cache.h"

/* A relation that was found to be a table of the desk. */
typedef struct OwnRelation
{
	Oid			relid;			/* hash key */
	const DeskTable *table;		/* NULL once the relation has changed */
} OwnRelation;

static HTAB *own_relations;

/* Forget what a relation is that changed, of all for InvalidOid. */
static void
forget_own_relations(Oid relid)
{
	HASH_SEQ_STATUS scan;
	OwnRelation *own;

	if (OidIsValid(relid))
	{
		own = hash_search(own_relations, &relid, HASH_FIND, NULL);
		if (own)
			own->table = NULL;
		return;
	}
	hash_seq_init(&scan, own_relations);
	while ((own = hash_seq_search(&scan)) != NULL)
		own->table = NULL;
}

void
own_relations_init(void)
{
	HASHCTL		ctl = {.keysize = sizeof(Oid), .entrysize = sizeof(OwnRelation)};

	static SessionCache cache = {.relation_changed = forget_own_relations};

	own_relations = hash_create("support_ext own relations", 32, &ctl, HASH_ELEM | HASH_BLOBS);
	add_session_cache(&cache);
}

/* The relation that a partition is part of in the end; itself if it is none, or is being detached. */
static Oid
root_of(Relation rel)
{
	List	   *ancestors = NIL;

	if (rel->rd_rel->relispartition)
		ancestors = get_partition_ancestors(RelationGetRelid(rel));
	return ancestors == NIL ? RelationGetRelid(rel) : llast_oid(ancestors);
}

/* Is it called so? Either may be NULL: somebody drops it. */
static bool
is_named(const char *name, const char *expected)
{
	return name != NULL && strcmp(name, expected) == 0;
}

/* The same as below, asked of the catalogs. */
static bool
look_up(Relation rel, const DeskTable *table)
{
	Oid			relid = root_of(rel);
	char	   *schema = get_namespace_name(get_rel_namespace(relid));

	if (is_named(schema, "support") && is_named(get_rel_name(relid), table->name))
		return true;
	return (is_named(schema, "support") || is_named(schema, "support_internal")) &&
		table_owner(relid) == table_owner(desk_relation("support", "audit_log"));
}

/* Is a relation the desk's table of this logical name, or a partition of it? */
bool
is_own_relation(Relation rel, const DeskTable *table)
{
	Oid			relid = RelationGetRelid(rel);
	OwnRelation *own = hash_search(own_relations, &relid, HASH_FIND, NULL);

	if (own != NULL && own->table == table)
		return true;
	if (!look_up(rel, table))
		return false;
	own = hash_search(own_relations, &relid, HASH_ENTER, NULL);
	own->table = table;
	return true;
}
