-- What is done to tables and columns, each a case with a name.
CREATE TEMPORARY TABLE tables AS
SELECT c.oid, c.oid::regclass::text AS name, c.relkind
FROM pg_class AS c
WHERE c.relnamespace IN ('support'::regnamespace, 'support_internal'::regnamespace) AND c.relkind IN ('r', 'p')
	AND NOT c.relispartition;
CREATE TEMPORARY TABLE columns AS
SELECT t.name AS rel, a.attname AS col, format_type(a.atttypid, NULL) AS type,
	format_type(a.atttypid, a.atttypmod) AS full_type,
	a.attnotnull
FROM tables AS t JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped;

CREATE TEMPORARY TABLE absurd (type text, value text);
COPY absurd FROM stdin;
text	''
text	repeat('x', 1000000)
text	chr(1)
text	'no such'
character varying	''
character varying	'no such'
bigint	-1
bigint	0
bigint	9223372036854775807
bigint	-9223372036854775807 - 1
integer	-1
integer	0
integer	100000000
integer	2147483647
integer	-2147483648
smallint	-1
smallint	99
smallint	32767
"char"	''
"char"	'z'
boolean	NOT @
oid	0
numeric	'NaN'
numeric	-1
numeric	1e100
timestamp with time zone	'infinity'
timestamp with time zone	'-infinity'
timestamp with time zone	'294276-12-31 23:00+00'
timestamp with time zone	'4713-01-02 00:00+00 BC'
date	'infinity'
date	'-infinity'
date	'5874897-12-31'
date	'4713-01-01 BC'
interval	'-1 seconds'
interval	'178000000 years'
interval	'2562047788 hours'
interval	'1 month'
interval	'0'
jsonb	'null'
jsonb	'5'
jsonb	'"status"'
jsonb	'[]'
jsonb	'["status", [2]]'
jsonb	'{}'
jsonb	'{"status": null, "version": "x", "id": 1e30, "ticket_number": 5}'
bytea	''
bytea	sha256('')
bytea	decode('010203', 'hex')
bytea	decode(repeat('01', 100000), 'hex')
bytea	sha256(@)
bytea	substr(@, 1, length(@) / 2)
bytea	@ || decode('ff', 'hex')
bytea	set_byte(@ || decode('0000', 'hex'), 1, 255)
bytea	set_byte(@ || decode('0000', 'hex'), length(@) / 2, 254)
text[]	'{}'
text[]	'{NULL}'
text[]	'{{pending},{x}}'
integer[]	'{}'
integer[]	'{NULL}'
integer[]	'{NULL,90}'
integer[]	'{-1,2147483647}'
integer[]	'[5:6]={1,2}'
integer[]	'{{75},{90}}'
pg_snapshot	'1:1:'
pg_snapshot	'1:9223372036854775807:'
tsvector	''
\.

CREATE TEMPORARY TABLE other_types (type text, value text);
COPY other_types FROM stdin;
bytea	'seven'
integer	7
bigint	123456789012
text	'seven'
text[]	'{seven}'
boolean	true
jsonb	'{"seven": 7}'
timestamptz	'2026-03-01'
interval	'7 hours'
\.

INSERT INTO sweep.cases (name, relation, kind, change)
SELECT concat_ws(' ', c.rel, c.col, 'null'), c.rel, 'null', format('SELECT sweep.put_null(%L, %L)', c.rel, c.col)
FROM columns AS c;
INSERT INTO sweep.cases (name, relation, kind, change)
SELECT concat_ws(' ', c.rel, c.col, 'type', o.type), c.rel, 'type',
	format('SELECT sweep.retype(%L, %L, %L, %L)', c.rel, c.col, o.type, o.value)
FROM columns AS c
JOIN other_types AS o ON o.type::regtype <> c.type::regtype;
INSERT INTO sweep.cases (name, relation, kind, change)
SELECT concat_ws(' ', c.rel, c.col, 'domain'), c.rel, 'domain',
	format('CREATE DOMAIN sweep.same AS %s; SELECT sweep.retype(%L, %L, %L, %L)',
		c.full_type, c.rel, c.col, 'sweep.same', '@')
FROM columns AS c;
INSERT INTO sweep.cases (name, relation, kind, change)
SELECT concat_ws(' ', c.rel, c.col, 'drop'), c.rel, 'drop', format('ALTER TABLE %s DROP COLUMN %I CASCADE', c.rel, c.col)
FROM columns AS c
UNION ALL
SELECT concat_ws(' ', c.rel, c.col, 'rename'), c.rel, 'rename',
	format('ALTER TABLE %s RENAME COLUMN %I TO other', c.rel, c.col)
FROM columns AS c;
INSERT INTO sweep.cases (name, relation, kind, change)
SELECT concat_ws(' ', c.rel, c.col, '=', a.value), c.rel, 'value',
	format('SELECT sweep.put(%L, %L, %L)', c.rel, c.col, a.value)
FROM columns AS c
JOIN absurd AS a ON a.type = c.type;
INSERT INTO sweep.cases (name, relation, kind, change)
SELECT concat_ws(' ', t.name, 'as', r.replacement), t.name, 'table',
	format('SELECT sweep.replace_table(%L, %L)', t.name, r.replacement)
FROM tables AS t,
	unnest('{view,view of other types,materialized view,foreign table,partitioned table,table,type,sequence}'::text[])
		AS r (replacement);
INSERT INTO sweep.cases (name, relation, kind, change)
SELECT t.name || ' without a table', t.name, 'none', format('SELECT sweep.replace_table(%L, %L)', t.name, 'nothing')
FROM tables AS t
UNION ALL
SELECT t.name || ' without rows', t.name, 'empty', format('DELETE FROM %s', t.name)
FROM tables AS t;
INSERT INTO sweep.cases (name, relation, kind, change)
SELECT concat_ws(' ', t.name, 'with a column', c.name), t.name, 'value',
	format('ALTER TABLE %s ADD COLUMN %I integer DEFAULT 7', t.name, c.name)
FROM tables AS t, unnest('{r,t,a,c,value}'::text[]) AS c (name);
