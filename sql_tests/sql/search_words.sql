-- The words that tickets and comments are found by: beside their rows, and always those of their texts.
CREATE DATABASE regress_search_words;
\c regress_search_words
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';

SELECT support.create_user('ann@example.com', 'Ann', role => 'agent') AS ann \gset
SELECT support.create_user('dora@example.com', 'Dora') AS dora \gset
SET support_ext.actor_id = :ann;

CREATE VIEW pg_temp.found AS
SELECT w.ticket_id, w.comment_id, w.words FROM support.search_words AS w ORDER BY w.ticket_id, w.comment_id;

-- A ticket has a row for itself and one for each comment, private ones too; each text weighs what it says.
SELECT support.create_ticket('Printer on fire', 'It smokes.', creator_id => :dora);
SELECT support.add_comment(1, 'Pull the plug, please.');
SELECT support.add_comment(1, 'He smokes, too.', is_private => true);
TABLE pg_temp.found;

-- They follow the texts, and nothing else moves them.
CREATE TEMPORARY TABLE places AS SELECT ticket_id, comment_id, ctid AS place FROM support.search_words;
SELECT support.set_status(1, 'pending');
SELECT support.delete_comment(1, 2);
SELECT count(*) AS stayed FROM places AS p JOIN support.search_words AS w USING (ticket_id, comment_id) WHERE w.ctid = p.place;
SELECT support.update_ticket(1, '{"title": "Printer in flames"}');
SELECT support.edit_comment(1, 1, 'Pull it!');
TABLE pg_temp.found;

-- What a customer may find: his ticket, and public comments that are there.
SELECT w.ticket_id, w.comment_id
FROM support.search_words AS w
LEFT JOIN support.comments AS c ON c.ticket_id = w.ticket_id AND c.id = w.comment_id
WHERE w.words @@ websearch_to_tsquery('simple', 'smokes or pull')
	AND c.deleted_at IS NULL
	AND (w.comment_id = 0 OR NOT c.is_private)
ORDER BY 1, 2;

-- The index finds them.
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT w.ticket_id FROM support.search_words AS w WHERE w.words @@ websearch_to_tsquery('simple', 'smokes');
RESET enable_seqscan;

-- A ticket that goes takes all of its words along, and brings them back.
DELETE FROM support.comments WHERE id = 1;
SELECT comment_id FROM pg_temp.found;
DELETE FROM support.tickets WHERE id = 1;
SELECT count(*) FROM support.search_words;
SELECT support.restore_ticket(1);
SELECT comment_id, words FROM pg_temp.found;

-- A savepoint that is rolled back leaves none, and many rows of one statement have theirs.
BEGIN;
SAVEPOINT before;
INSERT INTO support.comments (ticket_id, author_id, content) VALUES (1, :ann, 'Never mind.');
ROLLBACK TO before;
INSERT INTO support.comments (ticket_id, author_id, content) SELECT 1, :ann, 'Line ' || n FROM generate_series(1, 50) AS n;
UPDATE support.comments SET content = content || '!' WHERE content LIKE 'Line %';
COMMIT;
SELECT count(*) FROM support.search_words;
TABLE support_internal.search_flaws;

-- A trigger of the application that changes the text again has the last word, whether it comes before ours or after.
CREATE FUNCTION pg_temp.tidy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE support.comments SET content = 'tidy' WHERE ticket_id = NEW.ticket_id AND id = NEW.id AND content <> 'tidy';
	RETURN NULL;
END $$;
CREATE TRIGGER "0_tidy" AFTER INSERT OR UPDATE ON support.comments FOR EACH ROW EXECUTE FUNCTION pg_temp.tidy();
SELECT support.add_comment(1, 'untidy');
ALTER TRIGGER "0_tidy" ON support.comments RENAME TO z_tidy;
SELECT support.add_comment(1, 'untidy');
SELECT words FROM pg_temp.found ORDER BY comment_id DESC LIMIT 2;
TABLE support_internal.search_flaws;
DROP TRIGGER z_tidy ON support.comments;

-- A table that somebody has altered takes them by INSERT and DELETE.
ALTER TABLE support.search_words ADD CONSTRAINT some_words CHECK (words <> ''), ADD COLUMN noted_at timestamptz DEFAULT now();
SELECT support.create_ticket('Lamp', creator_id => :dora);
SELECT support.add_comment(2, 'Too bright.');
SELECT support.add_comment(2, 'Far too bright.');
UPDATE support.tickets SET title = 'Lamp on desk' WHERE id = 2;
SELECT comment_id, words FROM pg_temp.found WHERE ticket_id = 2;
DELETE FROM support.comments WHERE ticket_id = 2 AND content = 'Too bright.';
SELECT count(*) FROM support.search_words WHERE ticket_id = 2;
DELETE FROM support.tickets WHERE id = 2;
SELECT count(*) FROM support.search_words WHERE ticket_id = 2;
ALTER TABLE support.search_words DROP CONSTRAINT some_words, DROP COLUMN noted_at;

-- A text of more words than a tsvector holds has those of its beginning.
SELECT support.create_ticket('Long', string_agg(md5(n::text), ' '), creator_id => :dora) FROM generate_series(1, 10000) AS n;
SELECT length(words) FROM support.search_words WHERE ticket_id = 3;

-- What was left from when no trigger saw its like go does not stand in the way of a new one.
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO support.search_words (ticket_id, comment_id, words) VALUES (70, 0, 'left'), (70, 700, 'behind'), (70, 800, 'for good');
INSERT INTO support.backlog (ticket_id, team_id, created_at, breaches) VALUES (70, 1, now(), 3);
SET LOCAL session_replication_role = origin;
INSERT INTO support.tickets (id, title, description, creator_id) VALUES (70, 'Mat', 'New', :dora);
INSERT INTO support.comments (id, ticket_id, author_id, content) VALUES (700, 70, :dora, 'Newer');
SELECT comment_id, words FROM support.search_words WHERE ticket_id = 70 ORDER BY comment_id;
SELECT team_id, breaches FROM support.backlog WHERE ticket_id = 70;
SELECT flaw FROM support_internal.search_flaws;
ROLLBACK;

-- What has no blank is split after each 255 characters, and quickly: the server's parser would take minutes for the first.
SELECT support.create_ticket('Endless', repeat('a_', 40000), creator_id => :dora) AS endless \gset
SELECT support.add_comment(:endless, repeat('ü', 300) || E'\t' || repeat('x', 255) || ' ' || repeat('y', 256), author_id => :dora) \g /dev/null
SELECT comment_id > 0 AS is_comment, length(words), max(length(w.lexeme)) FROM support.search_words CROSS JOIN unnest(words) AS w
WHERE ticket_id = :endless GROUP BY comment_id, words ORDER BY comment_id;
SELECT ticket_id, flaw FROM support_internal.search_flaws;

-- Nobody empties it, and what went past the triggers is put right by install().
TRUNCATE support.search_words;
\echo :LAST_ERROR_SQLSTATE
SET session_replication_role = replica;
DELETE FROM support.comments WHERE ticket_id = 1 AND content LIKE 'Line 1%';
INSERT INTO support.comments (ticket_id, author_id, content, created_at) VALUES (1, :ann, 'Past them', now());
RESET session_replication_role;
SELECT flaw, count(*) FROM support_internal.search_flaws GROUP BY flaw ORDER BY flaw;
SELECT support.install();
TABLE support_internal.search_flaws;

\c contrib_regression
DROP DATABASE regress_search_words;
