-- Sealing the log, finding what was done to it afterwards, and proving single entries.
CREATE DATABASE regress_proof;
\c regress_proof
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never
\pset null '(null)'

-- An entry is sealed once no older transaction runs. The server's own, of which ANALYZE is one, are waited for.
CREATE FUNCTION seal()
RETURNS bigint
LANGUAGE plpgsql
AS $$
BEGIN
	WHILE EXISTS (SELECT FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()) LOOP
		PERFORM pg_sleep(0.01);
		PERFORM pg_stat_clear_snapshot();
	END LOOP;
	RETURN support.seal_audit();
END
$$;

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer');
SELECT support.set_actor(1);

-- What is sealed is sealed: the second time there is nothing to do.
SELECT seal();
SELECT * FROM support.verify_audit();
SELECT seal();

SELECT support.create_ticket('Printer on fire', creator_id => 2, custom => '{"floor": 3.50, "tags": ["a", null, {"ü": true}]}');
SELECT support.create_ticket('Screen stays black', creator_id => 2, tags => '{screen}');
SELECT support.update_ticket(1, '{"priority": "high", "custom": {"floor": null}}');
SELECT support.add_comment(2, 'Is it plugged in?', status => 'pending');
SELECT entries, unsealed, finding FROM support.verify_audit();
SELECT seal();
SELECT * FROM support.verify_audit();

-- What is not stable is left for the next time: of this transaction, …
BEGIN;
SELECT support.log_event(1, 'phone_call', new_value => '{"minutes": 7}');
SELECT support.seal_audit();
COMMIT;
-- … which is over now.
SELECT seal();
SET support_ext.now = '2026-04-07 09:00+00';
SELECT support.log_event(1, 'json_null', 'null', '"a string"');
SELECT support.log_event(NULL, 'no_ticket', '[]', '{}');
SELECT support.set_status(1, 'resolved');
SELECT seal();
SELECT * FROM support.verify_audit();

-- The seals: each has the digest of the one before.
SELECT seal_id, kind, sealed_at, from_audit_id, to_audit_id, first_at, last_at, entries,
	length(root) AS root, previous_digest = lag(digest) OVER (ORDER BY seal_id) AS follows, length(digest) AS digest
FROM support_internal.audit_seals
ORDER BY seal_id;
SELECT s.seal_id, count(*), bool_and(length(l.digest) = 32) AS digest, bool_and(length(l.salt) = 16) AS salt,
	count(DISTINCT l.salt) AS salts
FROM support_internal.audit_seals AS s
JOIN support_internal.audit_leaves AS l ON l.seal_id = s.seal_id
GROUP BY s.seal_id
ORDER BY s.seal_id;

-- A time range is that of whole seals: all that have entries in it.
SELECT seals, entries, unsealed, finding FROM support.verify_audit('2026-03-01', '2026-04-01');
SELECT seals, entries, unsealed, finding FROM support.verify_audit('2026-04-01', '2026-05-01');
SELECT seals, entries, unsealed, finding FROM support.verify_audit(to_at => '2026-03-02 09:00+00');
SELECT seals, entries, unsealed, finding FROM support.verify_audit(from_at => '2026-04-07 09:00:00.000001+00');
SELECT seals, entries, unsealed, finding FROM support.verify_audit(NULL, NULL);
SELECT * FROM support.verify_audit('2026-04-01', '2026-03-01');

-- A superuser at work. Each change is found, and undone again.
CREATE FUNCTION after(tampering text)
RETURNS TABLE (first_bad bigint, finding text, of_march text)
LANGUAGE plpgsql
AS $$
BEGIN
	SET LOCAL session_replication_role = replica;
	EXECUTE tampering;
	SELECT v.first_bad, v.finding INTO after.first_bad, after.finding FROM support.verify_audit() AS v;
	SELECT v.finding INTO of_march FROM support.verify_audit('2026-03-01', '2026-04-01') AS v;
	RAISE EXCEPTION USING ERRCODE = 'ZZZZZ';
EXCEPTION WHEN SQLSTATE 'ZZZZZ' THEN
	RETURN NEXT;
END
$$;
SELECT * FROM after('SELECT 1');
-- altered, …
SELECT * FROM after($$UPDATE support.audit_log SET actor_id = 2 WHERE id = 7$$);
SELECT * FROM after($$UPDATE support.audit_log SET actor_id = NULL WHERE id = 7$$);
SELECT * FROM after($$UPDATE support.audit_log SET occurred_at = occurred_at + interval '1 microsecond' WHERE id = 7$$);
SELECT * FROM after($$UPDATE support.audit_log SET occurred_at = '2026-05-01 00:00+00' WHERE id = 7$$);
SELECT * FROM after($$UPDATE support.audit_log SET db_role = 'mallory' WHERE id = 7$$);
SELECT * FROM after($$UPDATE support.audit_log SET ticket_id = 2 WHERE id = 7$$);
SELECT * FROM after($$UPDATE support.audit_log SET old_value = NULL WHERE id = 7$$);
SELECT * FROM after($$UPDATE support.audit_log SET old_value = old_value || '{"floor": 3.5}' WHERE id = 7$$);
SELECT * FROM after($$UPDATE support.audit_log SET new_value = new_value || '{"priority": "low"}' WHERE id = 7$$);
SELECT * FROM after($$UPDATE support.audit_log SET new_value = '{}' WHERE id = 3$$);
SELECT * FROM after($$UPDATE support.audit_log SET old_value = NULL WHERE action = 'json_null'$$);
SELECT * FROM after($$UPDATE support.audit_log SET new_value = '["a string"]' WHERE action = 'json_null'$$);
SELECT * FROM after($$UPDATE support.audit_log SET old_value = new_value, new_value = old_value WHERE action = 'no_ticket'$$);
-- … removed, …
SELECT * FROM after($$DELETE FROM support.audit_log WHERE id = 7$$);
SELECT * FROM after($$DELETE FROM support.audit_log WHERE id = (SELECT max(id) FROM support.audit_log)$$);
SELECT * FROM after($$DELETE FROM support.audit_log$$);
-- … inserted, between others or among those of another era, by hand or without a place, …
SELECT * FROM after($$INSERT INTO support.audit_log (id, occurred_at, era, xid, action, ticket_id)
	SELECT 1000, occurred_at, era, xid, 'promised', ticket_id FROM support.audit_log WHERE id = 7$$);
SELECT first_bad FROM after($$INSERT INTO support.audit_log (id, occurred_at, era, xid, action, ticket_id)
	SELECT 7, occurred_at, era, xid, 'promised', 1000 FROM support.audit_log WHERE id = 7$$);
SELECT * FROM after($$INSERT INTO support.audit_log (id, occurred_at, action) VALUES (1000, '2026-03-03', 'promised')$$);
SELECT * FROM after($$INSERT INTO support.audit_log (id, occurred_at, era, action) VALUES (1000, '2026-03-03', 1, 'promised')$$);
-- … or brought into another order.
SELECT * FROM after($$UPDATE support.audit_log SET id = 13 - id WHERE id = ANY (ARRAY[6, 7])$$);
SELECT * FROM after($$UPDATE support.audit_log AS a SET xid = b.xid FROM support.audit_log AS b
	WHERE (a.id, b.id) IN ((3, 7), (7, 3))$$);
SELECT * FROM after($$UPDATE support.audit_log SET xid = xid + 1 WHERE id = 7$$);
SELECT * FROM after($$UPDATE support.audit_log SET era = 2 WHERE id = 7$$);
SELECT * FROM after($$UPDATE support.audit_log SET xid = NULL WHERE id = 7$$);
SELECT * FROM after($$UPDATE support.audit_log SET era = NULL WHERE id = 7$$);

-- The same with what the seals are made of. Who alters an entry and its leaf alike has to alter the seal, …
SELECT * FROM after($$UPDATE support_internal.audit_leaves SET digest = sha256('') WHERE audit_id = 7$$);
SELECT * FROM after($$UPDATE support_internal.audit_leaves SET digest = '' WHERE audit_id = 7$$);
SELECT * FROM after($$UPDATE support_internal.audit_leaves SET salt = sha256('') WHERE audit_id = 7$$);
SELECT * FROM after($$UPDATE support_internal.audit_leaves SET salt = NULL WHERE audit_id = 7$$);
SELECT * FROM after($$UPDATE support_internal.audit_leaves SET seal_id = 3 WHERE audit_id = 7$$);
SELECT * FROM after($$DELETE FROM support_internal.audit_leaves WHERE audit_id = 7$$);
SELECT * FROM after($$DELETE FROM support_internal.audit_leaves$$);
SELECT * FROM after($$DELETE FROM support_internal.audit_leaves WHERE audit_id = 7;
	DELETE FROM support.audit_log WHERE id = 7$$);
SELECT * FROM after($$INSERT INTO support_internal.audit_leaves SELECT era, xid, 1000, seal_id, digest
	FROM support_internal.audit_leaves WHERE audit_id = 7$$);
SELECT * FROM after($$UPDATE support_internal.audit_leaves SET pruned_by = 1 WHERE audit_id = 7;
	DELETE FROM support.audit_log WHERE id = 7$$);
SELECT * FROM after($$UPDATE support_internal.audit_leaves AS l SET erased_by = 1, salt = NULL,
		values_digest = support_internal.values_digest(salt, old_value, new_value)
	FROM support.audit_log WHERE id = 7 AND audit_id = 7;
	UPDATE support.audit_log SET old_value = NULL, new_value = NULL WHERE id = 7$$);
-- … and the seal after it.
SELECT * FROM after($$UPDATE support_internal.audit_seals SET root = sha256('') WHERE seal_id = 2$$);
SELECT * FROM after($$UPDATE support_internal.audit_seals SET entries = entries + 1 WHERE seal_id = 2$$);
SELECT * FROM after($$UPDATE support_internal.audit_seals SET sealed_at = sealed_at + interval '1 day' WHERE seal_id = 2$$);
SELECT * FROM after($$UPDATE support_internal.audit_seals SET digest = sha256('') WHERE seal_id = 2$$);
SELECT * FROM after($$UPDATE support_internal.audit_seals SET digest = '' WHERE seal_id = 2$$);
SELECT * FROM after($$UPDATE support_internal.audit_seals SET kind = 'pruning' WHERE seal_id = 2$$);
SELECT * FROM after($$DELETE FROM support_internal.audit_seals WHERE seal_id = 1$$);
SELECT * FROM after($$DELETE FROM support_internal.audit_seals WHERE seal_id = 2$$);
SELECT * FROM after($$DELETE FROM support_internal.audit_seals WHERE seal_id = 4$$);
SELECT * FROM after($$DELETE FROM support_internal.audit_seals$$);
SELECT * FROM after($$DELETE FROM support_internal.audit_seals; DELETE FROM support_internal.audit_leaves$$);
-- A seal made anew for forged leaves does not fit the one after it.
CREATE TABLE kept AS TABLE support_internal.audit_seals;
SELECT * FROM after($$DELETE FROM support_internal.audit_seals WHERE seal_id > 1;
	DELETE FROM support_internal.audit_leaves WHERE seal_id > 1;
	UPDATE support.audit_log SET actor_id = 2 WHERE id = 7;
	SELECT support.seal_audit();
	INSERT INTO support_internal.audit_seals SELECT * FROM kept WHERE seal_id > 2$$);
-- What was not sealed can still be forged, …
SELECT * FROM after($$INSERT INTO support.audit_log (id, occurred_at, era, xid, action)
	VALUES (1000, '2026-04-07', 1, pg_current_xact_id()::text::bigint, 'promised')$$);
-- … but not as written in an era that never was, or by a transaction that did not write: one that is still to come, ran
-- before the era, or rolled back.
SELECT * FROM after($$INSERT INTO support.audit_log (id, occurred_at, era, xid, action)
	SELECT 1000, occurred_at, 2, xid, 'promised' FROM support.audit_log WHERE id = 7$$);
SELECT * FROM after($$INSERT INTO support.audit_log (id, occurred_at, era, xid, action)
	SELECT 1000, occurred_at, 0, xid, 'promised' FROM support.audit_log WHERE id = 7$$);
SELECT * FROM after($$INSERT INTO support.audit_log (id, occurred_at, era, xid, action)
	SELECT 1000, occurred_at, era, xid + 1000, 'promised' FROM support.audit_log ORDER BY xid DESC LIMIT 1$$);
SELECT * FROM after($$INSERT INTO support.audit_log (id, occurred_at, era, xid, action)
	VALUES (1000, '2026-04-07', 1, 9223372036854775807, 'promised')$$);
SELECT * FROM after($$UPDATE support_internal.audit_leaves SET pruned_by = 1; DELETE FROM support_internal.audit_seals;
	INSERT INTO support.audit_log (id, occurred_at, era, xid, action) VALUES (1000, '2026-03-03', 1, 3, 'promised')$$);
BEGIN;
SELECT pg_current_xact_id() AS rolled_back
\gset
ROLLBACK;
SELECT * FROM after(format($$INSERT INTO support.audit_log (id, occurred_at, era, xid, action)
	VALUES (1000, '2026-04-07', 1, %s, 'promised')$$, :rolled_back));

-- Such an entry gets no leaf when its transaction has come, either.
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO support.audit_log (id, occurred_at, era, xid, action)
VALUES (1000, '2026-04-07', 1, pg_current_xact_id()::text::bigint + 50, 'promised');
COMMIT;
SELECT unsealed, first_bad, finding FROM support.verify_audit();
DO $$ BEGIN FOR n IN 1 .. 50 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$;
SELECT support.log_event(1, 'after it') IS NOT NULL AS ok;
SELECT seal();
SELECT unsealed, first_bad, finding FROM support.verify_audit();
SELECT seal();
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM support.audit_log WHERE id = 1000;
COMMIT;
SELECT unsealed, first_bad, finding FROM support.verify_audit();

-- Two entries at one place: one of them gets a leaf, and the other is found.
SELECT support.log_event(1, 'before');
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO support.audit_log (id, occurred_at, era, xid, action, ticket_id)
SELECT id, occurred_at, era, xid, 'promised', 1000 FROM support.audit_log ORDER BY id DESC LIMIT 1;
COMMIT;
SELECT seal();
SELECT first_bad = (SELECT max(id) FROM support.audit_log) AS found, regexp_replace(finding, '\d+', 'N')
FROM support.verify_audit();
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM support.audit_log WHERE action = 'promised';
COMMIT;
SELECT finding FROM support.verify_audit();

-- Proofs of single entries.
SELECT id, support.check_audit_proof(support.audit_proof(id)) FROM support.audit_log ORDER BY id;
SELECT support.audit_proof(7) - '{path,salt,digest}'::text[] #- '{seal,root}' #- '{seal,previous_digest}'
	#- '{seal,from_xid}' #- '{seal,to_xid}' #- '{entry,xid}' AS proof,
	jsonb_array_length(support.audit_proof(7) -> 'path') AS path;
-- What a column lacks is not there; a null of JSON is.
SELECT p -> 'entry' ? 'table_name' AS table_name, p -> 'entry' -> 'old_value' AS old_value, p -> 'entry' -> 'new_value' AS new_value
FROM support.audit_log, support.audit_proof(id) AS p
WHERE action = 'json_null';
-- A proof is the same whatever the session's settings, and so is what checks it.
CREATE TABLE proofs AS SELECT id, support.audit_proof(id) AS proof FROM support.audit_log;
SET TimeZone = 'Asia/Kolkata';
SET DateStyle = 'German';
SET extra_float_digits = 0;
SELECT count(*), bool_and(support.audit_proof(id) = proof) AS same, bool_and(support.check_audit_proof(proof)) AS holds FROM proofs;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
-- It stops to hold if anything in it changes.
CREATE FUNCTION changed(proof jsonb, path text[], value jsonb)
RETURNS text
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN support.check_audit_proof(CASE WHEN value IS NULL THEN proof #- path ELSE jsonb_set(proof, path, value) END);
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;
SELECT path, changed(proof, path, value)
FROM proofs,
	(VALUES
		('{entry,id}'::text[], '8'::jsonb),
		('{entry,era}', '2'),
		('{entry,actor_id}', '2'),
		('{entry,actor_id}', NULL),
		('{entry,occurred_at}', '"2026-03-02T09:00:00.000001+00:00"'),
		('{entry,action}', '"DELETE"'),
		('{entry,old_value,priority}', '"low"'),
		('{entry,old_value,custom,floor}', '3.5'),
		('{entry,old_value}', NULL),
		('{entry,old_value}', 'null'),
		('{salt}', '"00000000000000000000000000000000"'),
		('{leaf_index}', '5'),
		('{leaf_index}', '-1'),
		('{leaf_index}', '1000000'),
		('{path,0}', '"0000000000000000000000000000000000000000000000000000000000000000"'),
		('{path,0}', NULL),
		('{path}', '[]'),
		('{seal,seal_id}', '3'),
		('{seal,kind}', '"erasure"'),
		('{seal,kind}', NULL),
		('{seal,sealed_at}', '"2026-01-01T00:00:00+00:00"'),
		('{seal,entries}', '9'),
		('{seal,entries}', '0'),
		('{seal,entries}', NULL),
		('{seal,root}', '"00"'),
		('{seal,root}', NULL),
		('{seal,previous_digest}', NULL),
		('{digest}', '"0000000000000000000000000000000000000000000000000000000000000000"')
	) AS c (path, value)
WHERE id = 7;
-- What is not a proof is refused, and so is one that says more than it proves.
SELECT path, value, changed(proof, path, value)
FROM proofs,
	(VALUES
		('{version}'::text[], NULL::jsonb),
		('{version}', '2'),
		('{version}', '"1"'),
		('{note}', '"paid"'),
		('{entry}', NULL),
		('{entry}', '7'),
		('{entry}', '[]'),
		('{entry,note}', '"paid"'),
		('{entry,id}', '"7"'),
		('{entry,id}', '7.5'),
		('{entry,id}', '1e30'),
		('{entry,era}', '4294967297'),
		('{entry,action}', '7'),
		('{entry,actor_id}', 'null'),
		('{entry,occurred_at}', '"yesterday"'),
		('{entry,occurred_at}', '"2026-03-02T10:00:00+01:00"'),
		('{entry,occurred_at}', '"2026-03-02 09:00:00+00"'),
		('{entry,occurred_at}', '"09.03.2026"'),
		('{salt}', NULL),
		('{salt}', '"00"'),
		('{salt}', '7'),
		('{values_digest}', '"0000000000000000000000000000000000000000000000000000000000000000"'),
		('{leaf_index}', NULL),
		('{leaf_index}', '[0]'),
		('{path}', NULL),
		('{path}', '{}'),
		('{path,0}', '"00"'),
		('{path,0}', '"zz"'),
		('{path,0}', '7'),
		('{seal}', NULL),
		('{seal,note}', '"paid"'),
		('{seal,root}', '"0"'),
		('{digest}', NULL),
		('{digest}', '"00"')
	) AS c (path, value)
WHERE id = 7;
SELECT support.check_audit_proof(NULL);
SELECT support.check_audit_proof('[]');
SELECT support.check_audit_proof('"a proof"');
SELECT changed(proof, '{path}', (SELECT jsonb_agg(repeat('00', 32)) FROM generate_series(1, 63))),
	changed(proof, '{path}', (SELECT jsonb_agg(repeat('00', 32)) FROM generate_series(1, 64)))
FROM proofs
WHERE id = 7;
-- An altered entry has no proof that holds.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE support.audit_log SET actor_id = 2 WHERE id = 7;
SELECT support.check_audit_proof(support.audit_proof(7));
ROLLBACK;
SELECT support.audit_proof(1000000);
SELECT support.audit_proof(NULL);
BEGIN;
SELECT support.log_event(1, 'not yet') AS not_yet
\gset
\set VERBOSITY sqlstate
SELECT support.audit_proof(:not_yet);
ROLLBACK;
\set VERBOSITY default

-- Trees of every shape.
DO $$
BEGIN
	FOR n IN 1 .. 34 LOOP
		PERFORM support.log_event(NULL, 'leaf ' || i) FROM generate_series(1, n) AS i;
		COMMIT;
		PERFORM seal();
		COMMIT;
	END LOOP;
END
$$;
SELECT s.entries, count(*), bool_and(support.check_audit_proof(p)) AS holds, min(jsonb_array_length(p -> 'path')) AS shortest,
	max(jsonb_array_length(p -> 'path')) AS longest
FROM support_internal.audit_seals AS s
JOIN support_internal.audit_leaves AS l ON l.seal_id = s.seal_id
CROSS JOIN LATERAL support.audit_proof(l.audit_id) AS p
WHERE s.seal_id > 5
GROUP BY s.seal_id
ORDER BY s.seal_id;
SELECT finding FROM support.verify_audit();

-- Erasing values: a purge empties them, and says so under a seal of its own. The proof of the rest still holds.
SELECT seals, entries, erased, pruned FROM support.verify_audit();
SELECT support.delete_ticket(2, 'at the customer''s request');
SELECT seal();
SET support_ext.now = '2026-06-01 09:00+00';
SELECT support.purge_deleted();
SELECT a.id, a.action, a.table_name, a.old_value IS NULL AND a.new_value IS NULL AS is_empty, l.audit_id IS NOT NULL AS sealed, l.salt IS NOT NULL AS salt,
	l.values_digest IS NOT NULL AS digest_kept, s.kind AS told_by
FROM support.audit_log AS a
LEFT JOIN support_internal.audit_leaves AS l ON l.audit_id = a.id
LEFT JOIN support_internal.audit_seals AS s ON s.seal_id = l.erased_by
WHERE a.ticket_id = 2
ORDER BY a.id;
SELECT kind, entries, from_audit_id, first_at, last_at FROM support_internal.audit_seals ORDER BY seal_id DESC LIMIT 1;
SELECT pruned, erased, unsealed, first_bad, finding FROM support.verify_audit();
SELECT seals, entries, erased, finding FROM support.verify_audit('2026-03-01', '2026-04-01');
SELECT seal();
SELECT erased, unsealed, finding FROM support.verify_audit();
SELECT id, support.audit_proof(id) ? 'salt' AS salt, support.audit_proof(id) ? 'values_digest' AS values_digest,
	support.check_audit_proof(support.audit_proof(id))
FROM support.audit_log
WHERE ticket_id = 2
ORDER BY id;
-- who has a proof from before can still show it, …
SELECT support.check_audit_proof(proof) FROM proofs WHERE id = 9;
-- … and nobody can put other values in the place of those that went.
SELECT changed(support.audit_proof(9), '{entry,old_value}', '{"forged": true}');
SELECT * FROM after($$UPDATE support.audit_log SET old_value = '{"forged": true}' WHERE id = 9$$);
SELECT * FROM after($$UPDATE support.audit_log SET actor_id = 2 WHERE id = 9$$);
SELECT * FROM after($$DELETE FROM support.audit_log WHERE id = 9$$);
SELECT * FROM after($$UPDATE support_internal.audit_leaves SET values_digest = sha256('') WHERE audit_id = 9$$);
SELECT * FROM after($$UPDATE support_internal.audit_leaves SET erased_by = NULL WHERE audit_id = 9$$);
SELECT first_bad, regexp_replace(finding, '\d+', 'N') AS finding, of_march
FROM after($$UPDATE support_internal.audit_leaves AS l SET salt = NULL, values_digest = support_internal.values_digest(salt, old_value, new_value),
		erased_by = (SELECT max(erased_by) FROM support_internal.audit_leaves)
	FROM support.audit_log WHERE id = 7 AND audit_id = 7;
	UPDATE support.audit_log SET old_value = NULL, new_value = NULL WHERE id = 7$$);
-- A purge of what was not sealed, or has no values, seals nothing.
SELECT support.create_ticket('Short-lived', creator_id => 2) AS short
\gset
SELECT support.delete_ticket(:short);
SELECT count(*) AS before FROM support_internal.audit_seals
\gset
SET support_ext.now = '2026-08-01 09:00+00';
SELECT support.purge_deleted();
SELECT count(*) - :before AS seals FROM support_internal.audit_seals;
SELECT seal();
SELECT finding FROM support.verify_audit();

-- Pruning: a month leaves the log, its leaves stay.
SELECT * FROM support.maintain() AS line WHERE line !~ 'guarded';
SELECT finding FROM support.verify_audit();
SELECT support.configure('retention', '4 months');
SELECT support.configure('retention_action', 'archive');
SELECT * FROM support.maintain() AS line WHERE line !~ 'guarded';
SELECT kind, entries, first_at, last_at FROM support_internal.audit_seals ORDER BY seal_id DESC LIMIT 1;
SELECT l.salt IS NULL AS salt_gone, l.pruned_by IS NULL AS not_pruned, l.erased_by IS NULL AS not_erased, count(*)
FROM support_internal.audit_leaves AS l
JOIN support_archive.audit_log_2026_03 AS a ON a.id = l.audit_id
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3;
SELECT pruned, erased, first_bad, finding FROM support.verify_audit();
SELECT pruned, erased, first_bad, finding FROM support.verify_audit('2026-03-01', '2026-04-01');
SELECT support.audit_proof(7);
-- who marks a leaf as pruned, or takes the mark away, is found,
SELECT first_bad, regexp_replace(finding, 'seal \d+', 'seal N') AS finding, of_march
FROM after($$UPDATE support_internal.audit_leaves SET pruned_by = (SELECT max(pruned_by) FROM support_internal.audit_leaves)
	WHERE audit_id = (SELECT max(id) FROM support.audit_log WHERE action = 'leaf 34');
	DELETE FROM support.audit_log WHERE id = (SELECT max(id) FROM support.audit_log WHERE action = 'leaf 34')$$);
SELECT * FROM after($$UPDATE support_internal.audit_leaves SET pruned_by = NULL WHERE audit_id = 7$$);
-- The archive may come back: its salts were kept.
ALTER TABLE support.audit_log ATTACH PARTITION support_archive.audit_log_2026_03
	FOR VALUES FROM ('2026-03-01 00:00+00') TO ('2026-04-01 00:00+00');
SELECT pruned, erased, finding FROM support.verify_audit();
SELECT support.check_audit_proof(support.audit_proof(7));
SELECT * FROM after($$UPDATE support.audit_log SET actor_id = 2 WHERE id = 7$$);
-- Taken out by hand and dropped, it must be told.
BEGIN;
ALTER TABLE support.audit_log DETACH PARTITION support_archive.audit_log_2026_03;
SELECT support_internal.prune_leaves('support_archive.audit_log_2026_03');
CREATE TABLE dropped AS TABLE support_archive.audit_log_2026_03;
DROP TABLE support_archive.audit_log_2026_03;
COMMIT;
SELECT count(*) = (SELECT count(*) FROM dropped) AS every, bool_and(salt IS NULL AND values_digest IS NULL) AS gone
FROM support_internal.audit_leaves
WHERE pruned_by IS NOT NULL;
SELECT pruned = (SELECT count(*) FROM dropped) AS pruned, erased, finding FROM support.verify_audit();
-- What comes back without its salts cannot be told from a forgery.
SELECT * FROM after($$INSERT INTO support.audit_log SELECT * FROM dropped WHERE id = 7$$);
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO support.audit_log SELECT * FROM dropped WHERE id = 7;
SELECT support.audit_proof(7);
ROLLBACK;
-- A month that goes by hand without a word is missed.
SELECT * FROM support.maintain() AS line WHERE line !~ 'guarded';
SELECT first_bad = (SELECT min(id) FROM support_internal.audit_log_2026_04) AS first, regexp_replace(finding, '\d+', 'N') AS finding
FROM after('ALTER TABLE support.audit_log DETACH PARTITION support_internal.audit_log_2026_04');

SELECT support_internal.prune_leaves(NULL);
SELECT support_internal.prune_leaves('support.users');
SELECT support_internal.prune_leaves('support.ticket_list');
SELECT support_internal.values_digest('\x00', NULL, NULL);
SELECT support_internal.values_digest(NULL, NULL, NULL);

-- Who may do what: the owner seals; who may read the log verifies it, and reads the proofs of what is visible.
CREATE ROLE regress_auditor;
GRANT USAGE ON SCHEMA support TO regress_auditor;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support TO regress_auditor;
GRANT USAGE ON SCHEMA support_internal TO regress_auditor;
GRANT EXECUTE ON FUNCTION support_internal.prune_leaves(regclass, boolean) TO regress_auditor;
SELECT max(audit_id) AS last FROM support_internal.audit_leaves
\gset
SET ROLE regress_auditor;
SELECT support.seal_audit();
SELECT support_internal.prune_leaves('support.users');
SELECT * FROM support.verify_audit();
SELECT support.audit_proof(:last) IS NOT NULL;
SELECT support.check_audit_proof('{}');
RESET ROLE;
GRANT SELECT ON support.audit_log TO regress_auditor;
SET ROLE regress_auditor;
SELECT finding FROM support.verify_audit();
SELECT support.check_audit_proof(support.audit_proof(:last));
SELECT * FROM support_internal.audit_leaves;
RESET ROLE;
ALTER TABLE support.audit_log ENABLE ROW LEVEL SECURITY;
SET ROLE regress_auditor;
SELECT finding FROM support.verify_audit();
\set VERBOSITY sqlstate
SELECT support.audit_proof(:last);
\set VERBOSITY default
RESET ROLE;
ALTER TABLE support.audit_log DISABLE ROW LEVEL SECURITY;

-- A transaction of more entries than a seal takes makes several.
INSERT INTO support.audit_log (action) SELECT 'many' FROM generate_series(1, 10000);
SELECT seal();
SELECT entries FROM support_internal.audit_seals ORDER BY seal_id DESC LIMIT 3;
SELECT count(*), bool_and(support.check_audit_proof(support.audit_proof(audit_id))) AS holds
FROM support_internal.audit_leaves
WHERE audit_id IN
	(
		SELECT unnest(ARRAY[from_audit_id, to_audit_id])
		FROM (SELECT * FROM support_internal.audit_seals ORDER BY seal_id DESC LIMIT 3) AS s
	);
SELECT finding FROM support.verify_audit();

-- An unknown actor is refused, and so is a transaction that may not write.
SELECT support.seal_audit(42);
BEGIN READ ONLY;
SELECT support.seal_audit();
ROLLBACK;
BEGIN READ ONLY;
SELECT finding FROM support.verify_audit();
ROLLBACK;

DROP OWNED BY regress_auditor;
DROP ROLE regress_auditor;
\c contrib_regression
DROP DATABASE regress_proof;
