-- What CREATE EXTENSION leaves in the catalogs: which objects belong to it, and the rules that all of ours keep.
-- Queries that look for exceptions find none; one before them shows that there was something to look at.
CREATE DATABASE regress_catalog;
\c regress_catalog
CREATE EXTENSION support_ext;
\set SHOW_CONTEXT never
\pset null '(null)'

-- Our tables, views, indexes and sequences; a partition and its indexes are their parent's.
CREATE TEMPORARY VIEW our_relations AS
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition, c.oid::regclass AS name
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (ARRAY['support', 'support_internal']) AND c.relkind <> 't';

CREATE TEMPORARY VIEW our_functions AS
SELECT p.oid, n.nspname, p.proname, p.oid::regprocedure AS name
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = ANY (ARRAY['support', 'support_internal']);

CREATE TEMPORARY VIEW our_triggers AS
SELECT t.oid, t.tgrelid, t.tgname, t.tgtype, t.tgparentid
FROM pg_trigger AS t
JOIN our_functions AS f ON f.oid = t.tgfoid;

CREATE TEMPORARY VIEW members AS
SELECT d.classid, d.objid, o.type, o.identity
FROM pg_depend AS d
JOIN pg_extension AS e ON e.oid = d.refobjid
CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) AS o
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'support_ext';

-- Code belongs to the extension, data to the database: the members are functions. Those that name a table, or its row
-- type, belong with the tables.
\pset format unaligned
-- Some versions of the server call date by its schema.
SELECT type, replace(identity, 'pg_catalog.date', 'date') AS identity FROM members ORDER BY type, members.identity COLLATE "C";
\pset format aligned
SELECT type, identity FROM members WHERE type <> ALL (ARRAY['function', 'type', 'aggregate', 'operator']);
SELECT name FROM our_functions AS f WHERE NOT EXISTS (SELECT FROM members AS m WHERE m.objid = f.oid) ORDER BY name::text;

-- What depends on them in the database are defaults, triggers, views and such functions: DROP EXTENSION ... CASCADE takes
-- no table, column, index or constraint away.
SELECT o.type, count(*) > 0 AS seen
FROM members AS m
JOIN pg_depend AS d ON d.refclassid = m.classid AND d.refobjid = m.objid AND d.deptype = 'n'
CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) AS o
WHERE NOT EXISTS (SELECT FROM members AS x WHERE x.classid = d.classid AND x.objid = d.objid)
GROUP BY o.type
ORDER BY o.type;
SELECT a.attrelid::regclass AS relation, a.attname
FROM pg_attrdef AS x
JOIN pg_attribute AS a ON a.attrelid = x.adrelid AND a.attnum = x.adnum AND a.attgenerated <> ''
JOIN pg_depend AS d ON d.classid = 'pg_attrdef'::regclass AND d.objid = x.oid AND d.refclassid = 'pg_proc'::regclass
JOIN members AS m ON m.objid = d.refobjid;

-- An update to the version that is there, and install() by hand, change no object and adopt none.
CREATE TEMPORARY VIEW objects_now AS
SELECT 'member' AS kind, type || ' ' || identity AS object
FROM members
UNION ALL
SELECT 'relation', relkind::text || ' ' || name
FROM our_relations
UNION ALL
SELECT 'trigger', tgname || ' on ' || tgrelid::regclass
FROM our_triggers
UNION ALL
SELECT 'default', adrelid::regclass || ' ' || pg_get_expr(adbin, adrelid)
FROM pg_attrdef
JOIN our_relations AS r ON r.oid = adrelid
UNION ALL
SELECT 'view', name || pg_get_viewdef(oid)
FROM our_relations
WHERE relkind = 'v';
CREATE TEMPORARY TABLE objects_before AS TABLE objects_now;

ALTER EXTENSION support_ext UPDATE;
SELECT support.install();
SELECT kind, count(*) > 0 AS seen FROM objects_now GROUP BY kind ORDER BY kind;
(TABLE objects_before EXCEPT ALL TABLE objects_now) UNION ALL (TABLE objects_now EXCEPT ALL TABLE objects_before);

-- Every object says what it means. A partition's columns and triggers are its parent's.
CREATE TEMPORARY VIEW comments AS
SELECT 'schema' AS kind, nspname::text AS object, obj_description(oid, 'pg_namespace') AS comment
FROM pg_namespace
WHERE nspname = ANY (ARRAY['support', 'support_internal'])
UNION ALL
SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index' ELSE 'table' END,
	name::text, obj_description(oid, 'pg_class')
FROM our_relations AS r
WHERE NOT EXISTS
	(SELECT FROM pg_constraint AS c WHERE c.conindid = r.oid AND c.contype = ANY (ARRAY['p', 'u', 'x']::"char"[]))
	AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = r.oid AND d.deptype = 'i')
	AND NOT EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = r.oid AND r.relkind = 'i')
UNION ALL
SELECT CASE r.relkind WHEN 'v' THEN 'column of a view' ELSE 'column of a table' END,
	r.name || '.' || a.attname, col_description(a.attrelid, a.attnum)
FROM our_relations AS r
JOIN pg_attribute AS a ON a.attrelid = r.oid
WHERE r.relkind = ANY (ARRAY['r', 'p', 'v']::"char"[]) AND NOT r.relispartition AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'function', name::text, obj_description(oid, 'pg_proc')
FROM our_functions
UNION ALL
SELECT 'trigger', tgname || ' on ' || tgrelid::regclass, obj_description(oid, 'pg_trigger')
FROM our_triggers
WHERE tgparentid = 0
UNION ALL
SELECT 'extension', extname, obj_description(oid, 'pg_extension')
FROM pg_extension
WHERE extname = 'support_ext';

SELECT kind, count(*) > 0 AS seen, count(*) FILTER (WHERE comment IS NULL) AS without_comment
FROM comments
GROUP BY kind
ORDER BY kind;
SELECT kind, object FROM comments WHERE comment IS NULL OR comment !~ '\S' ORDER BY kind, object;
-- A comment is sentences.
SELECT kind, object, comment FROM comments WHERE kind <> 'extension' AND comment !~ '^\S.*\.$' ORDER BY kind, object;

-- The functions, as interface.md has them. Who may call without a GRANT: the readers alone, and of the machinery only
-- what the default of a column needs.
\pset format unaligned
SELECT
	f.proname,
	pg_get_function_arguments(f.oid) AS arguments,
	pg_get_function_result(f.oid) AS result,
	CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END AS volatility,
	has_function_privilege('public', f.oid, 'EXECUTE') AS public
FROM our_functions AS f
JOIN pg_proc AS p ON p.oid = f.oid
WHERE f.nspname = 'support'
ORDER BY f.proname COLLATE "C";
SELECT f.proname
FROM our_functions AS f
WHERE f.nspname = 'support_internal' AND has_function_privilege('public', f.oid, 'EXECUTE')
ORDER BY f.proname;
\pset format aligned

-- a default, which asks the sequence who may
SELECT f.name AS public_may_write
FROM our_functions AS f
JOIN pg_proc AS p ON p.oid = f.oid
WHERE p.provolatile = 'v' AND has_function_privilege('public', f.oid, 'EXECUTE');
SELECT f.name AS public_needs
FROM our_functions AS f
WHERE has_function_privilege('public', f.oid, 'EXECUTE') IS FALSE
	AND EXISTS
	(
		SELECT FROM pg_depend AS d
		WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_proc'::regclass AND d.refobjid = f.oid
	);
-- Nor has PUBLIC any right on a schema, table, view or sequence.
SELECT n.nspname
FROM pg_namespace AS n
WHERE n.nspname = ANY (ARRAY['support', 'support_internal'])
	AND (has_schema_privilege('public', n.oid, 'USAGE') OR has_schema_privilege('public', n.oid, 'CREATE'));
SELECT r.name
FROM our_relations AS r
JOIN pg_class AS c ON c.oid = r.oid
CROSS JOIN LATERAL aclexplode(c.relacl) AS a
WHERE a.grantee = 0;
-- Everything is owned by the role that created the extension.
SELECT count(*) > 0 AS seen, count(*) FILTER (WHERE owner <> current_user::regrole) AS of_others
FROM
	(
		SELECT c.relowner::regrole FROM our_relations AS r JOIN pg_class AS c ON c.oid = r.oid
		UNION ALL
		SELECT p.proowner::regrole FROM our_functions AS f JOIN pg_proc AS p ON p.oid = f.oid
		UNION ALL
		SELECT nspowner::regrole FROM pg_namespace WHERE nspname = ANY (ARRAY['support', 'support_internal'])
	) AS o (owner);

-- A function with a body resolves its names by a search_path of its own. None acts with its owner's rights.
SELECT l.lanname AS language, p.prosecdef AS definer, p.proconfig AS config, count(*) > 0 AS seen
FROM our_functions AS f
JOIN pg_proc AS p ON p.oid = f.oid
JOIN pg_language AS l ON l.oid = p.prolang
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3;

-- No overloading, none STRICT, every argument with a name that needs no quotes.
SELECT nspname, proname FROM our_functions GROUP BY nspname, proname HAVING count(*) > 1;
SELECT f.name FROM our_functions AS f JOIN pg_proc AS p ON p.oid = f.oid WHERE p.proisstrict;
SELECT f.name
FROM our_functions AS f
JOIN pg_proc AS p ON p.oid = f.oid
WHERE p.pronargs > 0 AND (p.proargnames IS NULL OR '' = ANY (p.proargnames));
CREATE TEMPORARY VIEW names AS
SELECT 'argument' AS kind, f.name::text AS object, a.name
FROM our_functions AS f
JOIN pg_proc AS p ON p.oid = f.oid
CROSS JOIN LATERAL unnest(p.proargnames) AS a (name)
UNION ALL
SELECT 'column', r.name::text, a.attname
FROM our_relations AS r
JOIN pg_attribute AS a ON a.attrelid = r.oid
WHERE r.relkind = ANY (ARRAY['r', 'p', 'v']::"char"[]) AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'function', nspname, proname FROM our_functions
UNION ALL
SELECT 'relation', nspname, relname FROM our_relations;
SELECT kind, count(*) > 0 AS seen FROM names GROUP BY kind ORDER BY kind;
SELECT n.kind, n.object, n.name
FROM names AS n
LEFT JOIN pg_get_keywords() AS k ON k.word = n.name AND k.catcode = ANY (ARRAY['R', 'T']::"char"[])
WHERE k.word IS NOT NULL OR n.name !~ '^[a-z_][a-z0-9_]*$'
ORDER BY n.kind, n.object, n.name;

-- Writers end in the acting user, but for set_actor(), which says who that is, install(), and those that change no
-- record. The rest are STABLE, but for one that reads no table.
SELECT f.name AS without_actor
FROM our_functions AS f
JOIN pg_proc AS p ON p.oid = f.oid
WHERE f.nspname = 'support'
	AND p.provolatile = 'v'
	AND pg_get_function_arguments(p.oid) !~ 'actor_id bigint DEFAULT support\.actor_id\(\)$'
ORDER BY f.proname;
SELECT f.name AS with_actor
FROM our_functions AS f
JOIN pg_proc AS p ON p.oid = f.oid
WHERE p.provolatile <> 'v' AND pg_get_function_arguments(p.oid) ~ '\yactor_id\y';
SELECT f.name AS immutable
FROM our_functions AS f
JOIN pg_proc AS p ON p.oid = f.oid
WHERE f.nspname = 'support' AND p.provolatile = 'i'
ORDER BY f.name::text COLLATE "C";

-- What writes takes no part in a parallel query.
SELECT f.name
FROM our_functions AS f
JOIN pg_proc AS p ON p.oid = f.oid
WHERE p.provolatile = 'v' AND p.proparallel <> 'u';

-- Views name their columns, and nothing outside our schemas and the server's.
SELECT count(*) > 0 AS seen FROM our_relations WHERE relkind = 'v';
SELECT support_internal.desk_layout() ~ 'CREATE OR REPLACE VIEW' AS seen,
	support_internal.desk_layout() ~* 'VIEW[^;]*SELECT\s+(DISTINCT\s+)?(\w+\.)?\*' AS has_star;
SELECT r.name, o.type, o.identity
FROM our_relations AS r
JOIN pg_rewrite AS w ON w.ev_class = r.oid
JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
CROSS JOIN LATERAL pg_identify_object(d.refclassid, d.refobjid, d.refobjsubid) AS o
WHERE r.relkind = 'v' AND o.schema <> ALL (ARRAY['pg_catalog', 'support', 'support_internal']);
-- No view may be written to.
SELECT table_schema, table_name
FROM information_schema.views
WHERE table_schema = ANY (ARRAY['support', 'support_internal']) AND is_updatable = 'YES';
SELECT r.name, w.rulename
FROM our_relations AS r
JOIN pg_rewrite AS w ON w.ev_class = r.oid
WHERE w.rulename <> '_RETURN';

-- The tables and their columns. * marks what an INSERT must name.
CREATE TEMPORARY VIEW our_columns AS
SELECT
	r.oid,
	r.nspname,
	r.relname,
	a.attnum,
	a.attname,
	format_type(a.atttypid, a.atttypmod) AS type,
	a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS required
FROM our_relations AS r
JOIN pg_attribute AS a ON a.attrelid = r.oid
WHERE r.relkind = ANY (ARRAY['r', 'p']::"char"[]) AND NOT r.relispartition AND a.attnum > 0 AND NOT a.attisdropped;
\pset format unaligned
SELECT
	relname,
	string_agg(attname || ' ' || type || CASE WHEN required THEN ' *' ELSE '' END, ', ' ORDER BY attnum) AS columns
FROM our_columns
WHERE nspname = 'support'
GROUP BY relname
ORDER BY relname;
SELECT relname FROM our_relations WHERE nspname = 'support' AND relkind = 'v' ORDER BY relname;
\pset format aligned

-- Instants are timestamptz, ids bigint, statuses and other words text.
SELECT relname, attname, type
FROM our_columns
WHERE type = 'timestamp without time zone'
	OR attname ~ '_at$' AND type <> 'timestamp with time zone'
	OR attname ~ '(^|_)id$' AND type <> ALL (ARRAY['bigint', 'text'])
	OR type IN (SELECT format_type(oid, NULL) FROM pg_type WHERE typtype = 'e');
-- An id is GENERATED BY DEFAULT AS IDENTITY; what carries a ticket_id has it first in its primary
-- key, but for holds, which may be on users.
SELECT r.name, a.attname, a.attidentity
FROM our_relations AS r
JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attname = 'id'
WHERE r.relkind = ANY (ARRAY['r', 'p']::"char"[]) AND NOT r.relispartition AND a.attidentity <> 'd';
SELECT c.relname, c.attname
FROM our_columns AS c
WHERE c.attname = 'ticket_id'
	AND c.relname <> 'holds'
	AND NOT EXISTS
	(
		SELECT FROM pg_constraint AS k
		WHERE k.conrelid = c.oid AND k.contype = 'p' AND k.conkey[1] = c.attnum
	);

-- What a mapper may take for a key is a constraint: ON CONFLICT names it by its columns, and generators see it.
SELECT c.conrelid::regclass AS on_table, c.conname, pg_get_constraintdef(c.oid) AS definition
FROM pg_constraint AS c
JOIN our_relations AS r ON r.oid = c.conrelid
WHERE c.contype = 'u'
ORDER BY c.conrelid::regclass::text, c.conname;
-- Every id of the desk's tables names one row, but for the log's: its months are partitions.
SELECT a.attrelid::regclass AS on_table
FROM pg_attribute AS a
JOIN our_relations AS r ON r.oid = a.attrelid AND r.relkind = ANY ('{r,p}'::"char"[]) AND NOT r.relispartition
WHERE a.attname = 'id'
	AND NOT EXISTS
	(
		SELECT FROM pg_constraint AS c
		WHERE c.conrelid = a.attrelid AND c.contype = ANY ('{p,u}'::"char"[]) AND c.conkey = ARRAY[a.attnum]
	);

-- Indexes are named ix_<table>_<column>, by one of their columns, or by all of them; none is over an expression.
CREATE TEMPORARY VIEW our_indexes AS
SELECT
	x.indrelid,
	t.relname AS table_name,
	i.relname AS index_name,
	x.indisunique,
	x.indkey::smallint[] AS columns,
	0 = ANY (x.indkey) AS has_expression
FROM pg_index AS x
JOIN our_relations AS t ON t.oid = x.indrelid AND NOT t.relispartition
JOIN pg_class AS i ON i.oid = x.indexrelid
WHERE NOT EXISTS
	(
		SELECT FROM pg_constraint AS c
		WHERE c.conindid = x.indexrelid AND c.contype = ANY (ARRAY['p', 'u', 'x']::"char"[])
	);
SELECT count(*) > 0 AS seen, count(*) FILTER (WHERE has_expression) AS over_expressions FROM our_indexes;
SELECT table_name, index_name
FROM our_indexes AS i
WHERE NOT EXISTS
	(
		SELECT FROM pg_attribute AS a
		WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.columns)
			AND i.index_name = 'ix_' || i.table_name || '_' || a.attname
	)
	AND i.index_name <>
	(
		SELECT 'ix_' || i.table_name || '_' || string_agg(a.attname, '_' ORDER BY array_position(i.columns, a.attnum))
		FROM pg_attribute AS a
		WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.columns)
	);
-- The ones that interface.md names.
SELECT i.relname AS index_name, x.indisunique
FROM pg_index AS x
JOIN our_relations AS t ON t.oid = x.indrelid
JOIN pg_class AS i ON i.oid = x.indexrelid
WHERE i.relname = ANY
	(
		ARRAY
		[
			'ix_users_email',
			'ix_users_email_key',
			'ix_tickets_ticket_number',
			'ix_tickets_status',
			'ix_tickets_creator_id'
		]
	)
ORDER BY index_name;
-- The log carries its primary key and one BRIN, no more.
SELECT c.relname, m.amname
FROM pg_index AS x
JOIN pg_class AS c ON c.oid = x.indexrelid
JOIN pg_am AS m ON m.oid = c.relam
WHERE x.indrelid = 'support.audit_log'::regclass
ORDER BY c.relname;

-- Foreign keys go from a child to its parent, by cascade, or to a small table, without action; never from ticket to
-- ticket. The referencing columns are covered by an index, so that a DELETE of the referenced row finds them.
SELECT
	CASE WHEN confrelid = ANY (ARRAY['support.tickets', 'support.comments', 'support.sla_policies']::regclass[])
			OR confrelid = 'support.calendars'::regclass AND conrelid <> 'support.sla_targets'::regclass
		THEN 'parent' ELSE 'small table' END AS refers_to,
	CASE confdeltype WHEN 'c' THEN 'cascade' WHEN 'a' THEN 'no action' ELSE confdeltype::text END AS on_delete,
	count(*) > 0 AS seen
FROM pg_constraint
JOIN our_relations AS r ON r.oid = conrelid
WHERE contype = 'f'
GROUP BY 1, 2
ORDER BY 1, 2;
SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = confrelid;
-- Priorities are deleted once in a desk's life, and an index on them would cost every change of a ticket. Targets are few.
SELECT f.conrelid::regclass AS on_table, f.conname AS without_index
FROM pg_constraint AS f
JOIN our_relations AS r ON r.oid = f.conrelid
WHERE f.contype = 'f'
	AND NOT EXISTS
	(
		SELECT FROM pg_index AS x
		CROSS JOIN LATERAL (SELECT x.indkey::smallint[] AS columns) AS k
		WHERE x.indrelid = f.conrelid
			AND k.columns[0:cardinality(f.conkey) - 1] @> f.conkey
			AND (x.indpred IS NULL OR pg_get_expr(x.indpred, x.indrelid) ~ '^\(\w+ IS NOT NULL\)$')
	)
ORDER BY 1, 2;
-- A constraint says in its name what it is about.
SELECT r.name, c.conname
FROM pg_constraint AS c
JOIN our_relations AS r ON r.oid = c.conrelid
WHERE NOT r.relispartition
	AND c.contype = ANY (ARRAY['p', 'u', 'x', 'f', 'c']::"char"[])
	AND c.conname !~ ('^(' || r.relname || '_(pkey|\w+_key|\w+_fkey|\w+_check)|ix_' || r.relname || '_\w+)$');

-- At most three triggers of ours on a table; the AFTER one is heard before the foreign keys. Every table that a person
-- edits is audited, and all are guarded against TRUNCATE.
\pset format unaligned
SELECT
	tgname,
	tgtype & 1 <> 0 AS each_row,
	CASE WHEN tgtype & 2 <> 0 THEN 'before' ELSE 'after' END AS timing,
	concat_ws
	(
		', ',
		CASE WHEN tgtype & 4 <> 0 THEN 'insert' END,
		CASE WHEN tgtype & 16 <> 0 THEN 'update' END,
		CASE WHEN tgtype & 8 <> 0 THEN 'delete' END,
		CASE WHEN tgtype & 32 <> 0 THEN 'truncate' END
	) AS events,
	string_agg(tgrelid::regclass::text, ', ' ORDER BY tgrelid::regclass::text COLLATE "C") AS tables
FROM our_triggers
WHERE tgparentid = 0
GROUP BY tgname, tgtype
ORDER BY tgname, tgtype;
\pset format aligned
SELECT tgrelid::regclass FROM our_triggers GROUP BY tgrelid HAVING count(*) > 3;
SELECT tgname FROM our_triggers WHERE tgtype & 2 = 0 AND tgname >= 'RI_ConstraintTrigger';
SELECT r.name
FROM our_relations AS r
WHERE (r.nspname = 'support' OR r.name = 'support_internal.settings'::regclass)
	AND r.relkind = 'r'
	AND NOT
	(
		(r.name = ANY ('{support.sla_clocks,support.sla_events,support.backlog,support.search_words}'::regclass[])
			OR EXISTS (SELECT FROM our_triggers AS t WHERE t.tgrelid = r.oid AND t.tgtype & 31 = 29))
		AND EXISTS (SELECT FROM our_triggers AS t WHERE t.tgrelid = r.oid AND t.tgtype & 35 = 34)
	);
-- The argument is the table's logical name, which outlives a rename.
SELECT t.tgrelid::regclass, t.tgname, g.tgargs
FROM our_triggers AS t
JOIN pg_trigger AS g ON g.oid = t.oid
JOIN pg_class AS c ON c.oid = t.tgrelid
WHERE t.tgparentid = 0 AND NOT c.relispartition AND encode(g.tgargs, 'escape') <> c.relname || '\000';

\c contrib_regression
DROP DATABASE regress_catalog;
