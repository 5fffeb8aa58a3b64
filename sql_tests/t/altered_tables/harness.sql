-- Alter a table, do the desk's work on it, take all back, and tell what came of it that should not.
CREATE SCHEMA sweep;
CREATE DOMAIN sweep.number AS bigint;

-- What is done, and what comes of it where nothing is altered
CREATE TABLE sweep.work
(
	id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	statement text NOT NULL,
	state text,
	answer text
);

CREATE TABLE sweep.cases
(
	id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL,
	relation text,
	kind text NOT NULL,
	change text NOT NULL
);

-- Which statements notice that a table is gone
CREATE TABLE sweep.touches (relation text NOT NULL, id integer NOT NULL);
CREATE INDEX ON sweep.touches (relation, id);

-- Run a query at another time of the desk's clock
CREATE FUNCTION sweep.at(at_time text, query text)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	PERFORM set_config('support_ext.now', at_time, true);
	EXECUTE format('SELECT string_agg(x::text, chr(10)) FROM (%s) AS x', query) INTO answer;
	RETURN answer;
END
$$;

-- Run a statement, take back what it did, and tell what came of it
CREATE FUNCTION sweep.try(statement text, OUT state text, OUT message text, OUT hint text, OUT answer text)
LANGUAGE plpgsql AS $$
BEGIN
	IF statement ~ '^(SELECT|TABLE|WITH)' THEN
		EXECUTE format('SELECT string_agg(x::text, chr(10)) FROM (%s) AS x', statement) INTO answer;
	ELSE
		EXECUTE statement;
	END IF;
	RAISE SQLSTATE '00001';
EXCEPTION
	WHEN SQLSTATE '00001' THEN
		state := '00000';
	WHEN query_canceled OR OTHERS THEN
		GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
END
$$;

-- Take away what keeps a column from having any value: constraints of the table, and of the column if keys are to go
CREATE FUNCTION sweep.loosen(rel regclass, col name, keys boolean)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	attnum smallint := (SELECT a.attnum FROM pg_attribute AS a WHERE a.attrelid = rel AND a.attname = col);
	part record;
BEGIN
	FOR part IN
		SELECT c.conname, c.contype
		FROM pg_constraint AS c
		WHERE c.conrelid = rel AND (c.contype = 'c' OR keys AND c.contype IN ('p', 'u', 'f') AND attnum = ANY (c.conkey))
	LOOP
		EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', rel, part.conname);
	END LOOP;
	FOR part IN
		SELECT i.indexrelid::regclass AS name
		FROM pg_index AS i
		WHERE i.indrelid = rel AND keys AND i.indisunique AND attnum = ANY (i.indkey)
	LOOP
		EXECUTE format('DROP INDEX %s CASCADE', part.name);
	END LOOP;
	FOR part IN
		SELECT a.attname
		FROM pg_attribute AS a
		WHERE a.attrelid = rel AND a.attgenerated <> '' AND NOT a.attisdropped
	LOOP
		EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP EXPRESSION IF EXISTS', rel, part.attname);
	END LOOP;
END
$$;

-- Give a column a value in all rows
CREATE FUNCTION sweep.put(rel regclass, col name, value text)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	statement text := format('UPDATE %s SET %I = %s', rel, col, replace(value, '@', quote_ident(col)));
BEGIN
	PERFORM sweep.loosen(rel, col, false);
	-- for what sessions keep of the table
	EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 50', rel, col);
	EXECUTE statement;
EXCEPTION
	WHEN unique_violation THEN
		PERFORM sweep.loosen(rel, col, true);
		EXECUTE statement;
END
$$;

CREATE FUNCTION sweep.put_null(rel regclass, col name)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM sweep.loosen(rel, col, EXISTS (SELECT FROM pg_index AS i JOIN pg_attribute AS a
		ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
		WHERE i.indrelid = rel AND (i.indisprimary OR i.indnullsnotdistinct) AND a.attname = col));
	EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP IDENTITY IF EXISTS', rel, col);
	EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', rel, col);
	EXECUTE format('UPDATE %s SET %I = NULL', rel, col);
END
$$;

-- Give a column another type. Where something depends on it, another column takes its name.
CREATE FUNCTION sweep.retype(rel regclass, col name, type text, value text)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	default_value text := (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef AS d JOIN pg_attribute AS a
		ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = rel AND a.attname = col);
BEGIN
	PERFORM sweep.loosen(rel, col, value <> '@');
	BEGIN
		IF value <> '@' THEN
			EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP IDENTITY IF EXISTS', rel, col);
			EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', rel, col);
		END IF;
		EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE %s USING (%s)::%s', rel, col, type,
			replace(value, '@', quote_ident(col)), type);
	EXCEPTION
		WHEN feature_not_supported OR invalid_table_definition OR invalid_object_definition THEN
			PERFORM sweep.loosen(rel, col, true);
			EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP IDENTITY IF EXISTS', rel, col);
			EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', rel, col);
			EXECUTE format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', rel, col);
			EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO former', rel, col);
			EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', rel, col, type);
			EXECUTE format('UPDATE %s SET %I = (%s)::%s', rel, col, replace(value, '@', 'former'), type);
			IF value = '@' AND default_value IS NOT NULL THEN
				EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s', rel, col, default_value);
			END IF;
	END;
END
$$;

-- Put something else in a table's place
CREATE FUNCTION sweep.replace_table(rel regclass, replacement text)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	name text := rel::text;
	former text := quote_ident((SELECT relname || '_kept' FROM pg_class WHERE oid = rel));
	columns text := (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute AS a
		WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped);
	others text := (SELECT string_agg(format(CASE format_type(a.atttypid, NULL)
			WHEN 'bigint' THEN '%1$I::text' WHEN 'integer' THEN '%1$I::text' WHEN 'text' THEN 'length(%1$I)'
			WHEN 'character varying' THEN 'length(%1$I)' WHEN 'jsonb' THEN '7' ELSE '%1$I::text' END || ' AS %1$I', a.attname),
			', ' ORDER BY a.attnum)
		FROM pg_attribute AS a WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped);
	definitions text := (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '
			ORDER BY a.attnum)
		FROM pg_attribute AS a WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped);
BEGIN
	EXECUTE format('ALTER TABLE %s RENAME TO %s', name, former);
	EXECUTE CASE replacement
		WHEN 'view' THEN format('CREATE VIEW %1$s AS SELECT %3$s FROM %2$s', name, rel, columns)
		WHEN 'view of other types' THEN format('CREATE VIEW %1$s AS SELECT %3$s FROM %2$s', name, rel, others)
		WHEN 'materialized view' THEN format('CREATE MATERIALIZED VIEW %s AS SELECT %s FROM %s', name, columns, rel)
		WHEN 'foreign table' THEN format('CREATE FOREIGN TABLE %s (%s) SERVER nowhere', name, definitions)
		WHEN 'partitioned table' THEN format('CREATE TABLE %s (%s) PARTITION BY HASH (%s)', name, definitions,
			split_part(columns, ', ', 1))
		WHEN 'table' THEN format('CREATE TABLE %s (%s)', name, definitions)
		WHEN 'type' THEN format('CREATE TYPE %s AS (%s)', name, definitions)
		WHEN 'sequence' THEN format('CREATE SEQUENCE %s', name)
		WHEN 'nothing' THEN 'SELECT'
	END;
	IF replacement = 'partitioned table' THEN
		EXECUTE format('CREATE TABLE %s_part PARTITION OF %s FOR VALUES WITH (MODULUS 1, REMAINDER 0)', name, name);
	END IF;
	IF replacement IN ('table', 'partitioned table') THEN
		EXECUTE format('INSERT INTO %s SELECT %s FROM %s', name, columns, rel);
	END IF;
END
$$;

-- Is this an error that a program can act on, or none?
CREATE FUNCTION sweep.is_proper(state text)
RETURNS boolean
LANGUAGE sql AS $$
SELECT state ~ '^(00000|0A|21|22|23|25001|27|2BP01|38|39P01|40001|42|44|54|55000|P0002|SU)'
$$;

-- The numbers in an answer that look like addresses: those of a program, its heap and its libraries
CREATE FUNCTION sweep.addresses(answer text)
RETURNS SETOF text
LANGUAGE sql AS $$
SELECT m[1]
FROM regexp_matches(answer, '(?<![0-9.])(9[3-5][0-9]{12}|1(?:39|40)[0-9]{12})(?![0-9.])', 'g') AS m
$$;

-- Alter something, do the work that is about the table, or all, take all back, and tell what came of it: what should
-- not is a fault
CREATE FUNCTION sweep.run(case_id integer, everything boolean)
RETURNS TABLE (name text, statement text, state text, message text, hint text, is_fault boolean)
LANGUAGE plpgsql AS $$
DECLARE
	tried sweep.cases := (SELECT c FROM sweep.cases AS c WHERE c.id = case_id);
	work sweep.work;
	found record;
BEGIN
	name := tried.name;
	SET LOCAL session_replication_role = replica;
	EXECUTE tried.change;
	SET LOCAL session_replication_role = origin;
	FOR work IN
		SELECT w.*
		FROM sweep.work AS w
		WHERE everything OR EXISTS (SELECT FROM sweep.touches AS t WHERE t.relation = tried.relation AND t.id = w.id)
		ORDER BY w.id
	LOOP
		SELECT * INTO found FROM sweep.try(work.statement);
		statement := work.statement;
		state := found.state;
		message := coalesce(found.message, left(found.answer, 1000));
		hint := found.hint;
		-- Over a domain all goes on, but that install() names columns of another type, of which a domain is one, and that
		-- the log has values of a domain as text, by which undo() finds that they have changed; and that keys were lost.
		is_fault := NOT sweep.is_proper(state)
			OR (tried.kind = 'domain' AND state NOT IN (work.state, '00000', '27000', '42P10', 'SU003') AND statement !~ 'install')
			OR EXISTS (SELECT sweep.addresses(found.answer) EXCEPT SELECT sweep.addresses(work.answer));
		RETURN NEXT;
	END LOOP;
	RAISE SQLSTATE '00001';
EXCEPTION
	WHEN SQLSTATE '00001' THEN
		SET LOCAL session_replication_role = origin;
	WHEN query_canceled OR OTHERS THEN
		GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
		statement := tried.change;
		-- there is what the server refuses: to drop the column that divides a table, a key of 1 MB, an identity of a domain
		is_fault := state !~ '^(0A000|22023|42701|42704|42883|42P16|54000)';
		RETURN NEXT;
END
$$;

-- Add to the work what the catalog tells, and do it all where nothing is altered
CREATE FUNCTION sweep.complete_work()
RETURNS void
LANGUAGE sql AS $$
INSERT INTO sweep.work (statement)
SELECT format('SELECT * FROM support.%I', viewname) FROM pg_views WHERE schemaname = 'support' ORDER BY viewname;
INSERT INTO sweep.work (statement)
SELECT format('SELECT * FROM support.report(%L, %L, %L, %L)', metric, '2026-01-01', '2026-04-01', 'week')
FROM unnest('{created,solved,still_solved,reopened,reopened_tickets,entered,replies,customer_comments,first_reply,
	resolution,one_touch,two_touch,multi_touch,backlog,open,unassigned,waiting,unanswered,activity}'::text[]) AS metric;
INSERT INTO sweep.work (statement)
SELECT unnest(ARRAY[
	format('UPDATE %1$s SET %2$I = %2$I', c.oid::regclass, a.attname),
	format('DELETE FROM %s', c.oid::regclass)])
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = 1
WHERE c.relnamespace = 'support'::regnamespace AND c.relkind IN ('r', 'p')
ORDER BY c.oid::regclass::text;
UPDATE sweep.work AS w
SET state = t.state, answer = t.answer
FROM sweep.work AS o, sweep.try(o.statement) AS t
WHERE o.id = w.id;
$$;

-- Find out which statements are about the tables of some cases: those to which it matters that the table is gone
CREATE FUNCTION sweep.learn(cases integer[])
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	without sweep.cases;
BEGIN
	FOR without IN
		SELECT c.*
		FROM sweep.cases AS c
		WHERE c.kind = 'none'
			AND c.relation IN (SELECT t.relation FROM sweep.cases AS t WHERE t.id = ANY (cases))
			AND c.relation NOT IN (SELECT t.relation FROM sweep.touches AS t)
	LOOP
		INSERT INTO sweep.touches
		SELECT without.relation, w.id
		FROM sweep.work AS w
		JOIN sweep.run(without.id, true) AS r ON r.statement = w.statement
		WHERE r.state <> w.state OR r.message IS DISTINCT FROM left(w.answer, 1000);
	END LOOP;
END
$$;
