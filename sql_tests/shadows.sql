-- A schema full of traps, loaded by t/090_shadowing.pl. For everything that a statement may name there is something of the
-- same name that does what the original does, and tells that it was run, and as whom. Whoever finds names by a search_path
-- with hostile in it walks into one: where hostile comes first by the name alone, where it comes last by types that fit
-- better than any in pg_catalog. hostile.plants tells what there is.

SET client_min_messages = error;
SET search_path = pg_catalog, pg_temp;
SET check_function_bodies = off;

CREATE SCHEMA hostile;
GRANT USAGE ON SCHEMA hostile TO PUBLIC;

CREATE FUNCTION hostile.tell(what text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE WARNING 'SHADOW % run by % for %', what, current_user, session_user;
	RETURN true;
END
$$;

CREATE TABLE hostile.plants (kind text NOT NULL, name text NOT NULL);

-- Run a statement that plants something, unless the server has no such thing: a function over types that no language but
-- C may read, an operator that no cast leads to
CREATE FUNCTION hostile.plant(kind text, name text, statement text)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
	EXECUTE statement;
	INSERT INTO hostile.plants VALUES (kind, name);
EXCEPTION WHEN syntax_error_or_access_rule_violation OR feature_not_supported THEN
	NULL;
END
$$;

-- A statement that makes a function which tells, then does as the original
CREATE FUNCTION hostile.function(name text, arguments text, result text, what text, original text)
RETURNS text
LANGUAGE sql
RETURN format('CREATE FUNCTION hostile.%I(%s) RETURNS %s LANGUAGE plpgsql PARALLEL SAFE AS %L',
	name, arguments, result, format('BEGIN PERFORM hostile.tell(%L); %s; END', what, original));

-- The same for an operator; one that claimed less of itself could neither merge nor hash
CREATE FUNCTION hostile.operator(op text, l text, r text, result text)
RETURNS text
LANGUAGE sql
RETURN hostile.function(md5(concat_ws(',', op, l, r)), concat_ws(', ', l, r), result, concat_ws(' ', l, op, r),
		format('RETURN %s OPERATOR(pg_catalog.%s) %s', CASE WHEN l IS NOT NULL THEN '$1' END, op, CASE WHEN l IS NULL THEN '$1' ELSE '$2' END))
	|| format(' IMMUTABLE; CREATE OPERATOR hostile.%s (FUNCTION = hostile.%I, %sRIGHTARG = %s%s)',
		op, md5(concat_ws(',', op, l, r)), 'LEFTARG = ' || l || ', ', r, CASE WHEN op = '=' AND l = r THEN ', HASHES, MERGES' END);

-- Operators: those that the server has, and for all pairs of common types those that it comes to by casts
SELECT hostile.plant('operator', oprname, hostile.operator(oprname, nullif(oprleft, 0)::regtype::text, oprright::regtype::text,
	oprresult::regtype::text))
FROM pg_operator
WHERE oprnamespace = 'pg_catalog'::regnamespace;

CREATE FUNCTION hostile.operator_by_casts(op text, l text, r text)
RETURNS text
LANGUAGE plpgsql
AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT pg_typeof(NULL::%s OPERATOR(pg_catalog.%s) NULL::%s)', l, op, r) INTO result;
	RETURN hostile.operator(op, l, r, result);
EXCEPTION WHEN syntax_error_or_access_rule_violation OR feature_not_supported THEN
	RETURN NULL;
END
$$;
WITH common AS
	(SELECT unnest('{text,varchar,"\"char\"",name,int2,int4,int8,numeric,float8,timestamptz,timestamp,date,time,interval,jsonb,oid,
		regclass,text[],varchar[],int8[],int4[],timestamptz[]}'::text[]) AS name)
SELECT hostile.plant('mixed operator', op, statement)
FROM unnest('{=,<>,<,<=,>,>=,+,-,*,/,%,||,->,->>,#>,#>>,@>,<@,?,?|,?&,&&,~,~*,!~,~~,~~*,!~~}'::text[]) AS op
CROSS JOIN common AS l
CROSS JOIN common AS r
CROSS JOIN hostile.operator_by_casts(op, l.name, r.name) AS statement
WHERE statement IS NOT NULL AND NOT EXISTS
	(SELECT FROM pg_operator WHERE oprname = op AND oprleft = l.name::regtype AND oprright = r.name::regtype);

-- Functions: the server's and the desk's that a language other than C may take the place of
SELECT hostile.plant('function', p.proname, hostile.function(p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
	'function ' || p.proname, format
	(
		CASE
			WHEN p.proretset THEN 'RETURN QUERY SELECT * FROM %s'
			WHEN p.proargmodes && '{o,b}'::"char"[] THEN 'RETURN'
			WHEN p.prorettype = 'void'::regtype THEN 'PERFORM %s'
			ELSE 'RETURN %s'
		END,
		format('%I.%I(%s)', n.nspname, p.proname, arguments.list)
	)))
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace
CROSS JOIN LATERAL
	(SELECT string_agg(concat(CASE WHEN i = p.pronargs AND p.provariadic <> 0 THEN 'VARIADIC ' END, '$', i), ', ' ORDER BY i) AS list
	FROM generate_series(1, p.pronargs) AS i) AS arguments
WHERE n.nspname IN ('pg_catalog', 'support', 'support_internal') AND p.prokind IN ('f', 'w')
	AND NOT '{internal,cstring,trigger,event_trigger,"\"any\""}'::regtype[] && (p.proargtypes::oid[] || p.prorettype)::regtype[];

-- The same for varchar, where the server has a function of text alone: columns of the desk are varchar, and fit better
SELECT hostile.plant('function of varchar', p.proname, hostile.function(p.proname, v.arguments, pg_get_function_result(p.oid),
	'function ' || p.proname, format(CASE WHEN p.proretset THEN 'RETURN QUERY SELECT * FROM %s' ELSE 'RETURN %s' END,
		format('pg_catalog.%I(%s)', p.proname, v.list))))
FROM pg_proc AS p
CROSS JOIN LATERAL
	(SELECT
		string_agg(CASE a.type WHEN 'text'::regtype THEN 'varchar' ELSE format_type(a.type, NULL) END, ', ' ORDER BY a.i) AS arguments,
		string_agg(format('$%s%s', a.i, CASE a.type WHEN 'text'::regtype THEN '::pg_catalog.text' END), ', ' ORDER BY a.i) AS list
	FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, i)) AS v
WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.provariadic = 0 AND p.proargmodes IS NULL
	AND 'text'::regtype = ANY (p.proargtypes) AND p.prorettype <> 'void'::regtype
	AND NOT '{internal,cstring,trigger,event_trigger,"\"any\""}'::regtype[] && (p.proargtypes::oid[] || p.prorettype)::regtype[];

-- Those that take anything, for arguments that are alike and for mixtures of them
SELECT hostile.plant('function', name, hostile.function(name,
	concat(CASE WHEN arguments ~ 'VARIADIC' AND name IN ('format', 'concat_ws') THEN 'text, ' END, arguments), result,
	'function ' || name, 'RETURN NULL'))
FROM (VALUES ('concat', 'text'), ('concat_ws', 'text'), ('format', 'text'), ('jsonb_build_object', 'jsonb'),
	('jsonb_build_array', 'jsonb'), ('num_nulls', 'integer')) AS f (name, result)
CROSS JOIN unnest('{"VARIADIC text[]","VARIADIC anycompatiblearray","text, text","text, int8","text, text, text","text, text, int8",
	"text, int8, text, int8","text, text, text, text","text, timestamptz","text, jsonb","VARIADIC varchar[]","varchar, varchar"}'::text[]) AS arguments;

-- Operator classes, so that sorts, merges and hashes go by them
SELECT hostile.plant('operator class', t, format('CREATE OPERATOR CLASS hostile.%1$s_sorted FOR TYPE %1$s USING btree AS
		OPERATOR 1 hostile.< (%1$s, %1$s), OPERATOR 2 hostile.<= (%1$s, %1$s), OPERATOR 3 hostile.= (%1$s, %1$s),
		OPERATOR 4 hostile.>= (%1$s, %1$s), OPERATOR 5 hostile.> (%1$s, %1$s), FUNCTION 1 hostile.%2$s(%1$s, %1$s);
	CREATE OPERATOR CLASS hostile.%1$s_hashed FOR TYPE %1$s USING hash AS
		OPERATOR 1 hostile.= (%1$s, %1$s), FUNCTION 1 hostile.%3$s(%1$s)', t, compare, hash))
FROM (VALUES ('text', 'bttextcmp', 'hashtext'), ('int8', 'btint8cmp', 'hashint8'), ('int4', 'btint4cmp', 'hashint4'),
	('jsonb', 'jsonb_cmp', 'jsonb_hash')) AS c (t, compare, hash);

-- Aggregates, over arrays of what they are given
WITH aggregates AS
(
	SELECT a.name, t.name AS type, coalesce(
		(SELECT p.prorettype::regtype::text FROM pg_proc AS p
		WHERE p.proname = a.name AND p.prokind = 'a' AND p.pronargs = 1 AND p.proargtypes[0] = t.name::regtype),
		CASE a.name WHEN 'count' THEN 'int8' WHEN 'array_agg' THEN t.name || '[]' WHEN 'jsonb_agg' THEN 'jsonb' END) AS result
	FROM unnest('{count,max,min,sum,avg,array_agg,bool_or,bool_and,every,jsonb_agg}'::text[]) AS a (name)
	CROSS JOIN unnest('{text,varchar,int2,int4,int8,numeric,float8,bool,timestamptz,date,time,interval,jsonb,bytea,oid}'::text[])
		AS t (name)
)
SELECT hostile.plant('aggregate', name, hostile.function(name || '_end', type || '[]', result, 'aggregate ' || name,
		format('RETURN (SELECT pg_catalog.%s(x) FROM pg_catalog.unnest($1) AS x)', name))
	|| format('; CREATE AGGREGATE hostile.%I(%s) (SFUNC = pg_catalog.array_append, STYPE = %s[], FINALFUNC = hostile.%I)',
		name, type, type, name || '_end'))
FROM aggregates
WHERE result IS NOT NULL;
SELECT hostile.plant('aggregate', 'count', hostile.function('count_one', 'bigint', 'bigint', 'aggregate count(*)',
		'RETURN $1 OPERATOR(pg_catalog.+) 1')
	|| '; CREATE AGGREGATE hostile.count(*) (SFUNC = hostile.count_one, STYPE = bigint, INITCOND = 0)');
SELECT hostile.plant('aggregate', 'string_agg', hostile.function('join_texts', 'text, text, text', 'text', 'aggregate string_agg',
		'RETURN pg_catalog.concat_ws($3, $1, $2)')
	|| '; CREATE AGGREGATE hostile.string_agg(text, text) (SFUNC = hostile.join_texts, STYPE = text)');

-- Relations: a view in the place of each of the desk's and of the server's
SELECT hostile.plant('relation', relname,
	format('CREATE VIEW hostile.%1$I AS SELECT * FROM %2$I.%1$I WHERE hostile.tell(%3$L)', relname, nspname, 'relation ' || relname))
FROM
	(SELECT DISTINCT ON (c.relname) c.relname, n.nspname
	FROM pg_class AS c
	JOIN pg_namespace AS n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'p', 'v') AND n.nspname IN ('support', 'support_internal', 'pg_catalog')
	ORDER BY c.relname, n.nspname DESC) AS c;
GRANT ALL ON ALL TABLES IN SCHEMA hostile TO PUBLIC;

-- Types: a domain over each of the server's
SELECT hostile.plant('type', typname,
	format('CREATE DOMAIN hostile.%1$I AS pg_catalog.%1$I CHECK (hostile.tell(%2$L))', typname, 'type ' || typname))
FROM pg_type
WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typcategory <> 'A';

-- Collations and text search
SELECT hostile.plant('collation', 'default', 'CREATE COLLATION hostile."default" FROM pg_catalog."C"');
SELECT hostile.plant('collation', 'C', 'CREATE COLLATION hostile."C" FROM pg_catalog."ucs_basic"');
CREATE TEXT SEARCH CONFIGURATION hostile.simple (COPY = pg_catalog.german);
CREATE TEXT SEARCH CONFIGURATION hostile.english (COPY = pg_catalog.french);
CREATE TEXT SEARCH DICTIONARY hostile.simple (TEMPLATE = pg_catalog.simple, ACCEPT = false);

-- Relations and types for the schema of a session's temporary objects
CREATE FUNCTION hostile.plant_temporary()
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	n name;
BEGIN
	FOR n IN SELECT relname FROM pg_class WHERE relnamespace = 'hostile'::regnamespace AND relkind = 'v' AND relname !~ '^pg_stat'
	LOOP
		EXECUTE format('CREATE TEMPORARY VIEW %1$I AS SELECT * FROM hostile.%1$I', n);
	END LOOP;
	FOREACH n IN ARRAY '{text,varchar,int4,int8,bool,numeric,timestamptz,interval,jsonb,oid,regclass}'::text[]
	LOOP
		EXECUTE format('CREATE DOMAIN pg_temp.%1$I AS pg_catalog.%1$I CHECK (hostile.tell(%2$L))', n, 'temporary type ' || n);
	END LOOP;
END
$$;
