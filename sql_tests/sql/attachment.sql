-- Attachments: what is known of a file, and its bytes.
CREATE DATABASE regress_attachment;
\c regress_attachment
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer');
SELECT support.set_actor(2);
SELECT support.create_ticket('Printer on fire');
SELECT support.create_ticket('Another');

-- The bytes come back as they went in; size and digest are worked out.
SELECT support.add_attachment(1, 'fire.jpg', '\xffd8ff00', 'image/jpeg');
SELECT support.attachment_content(1, 1);
SELECT * FROM support.attachments;
SELECT sha256 = sha256('\xffd8ff00') AS right_digest FROM support.attachments;
SELECT support.add_attachment(1, 'nothing', '', NULL, NULL, actor_id => 1);
SELECT length(support.attachment_content(1, 2)) AS length;
SELECT content_type, byte_size, uploaded_by, sha256 = sha256('') AS right_digest FROM support.attachments WHERE id = 2;
-- Large enough to be stored out of line, and not compressible.
SELECT string_agg(sha256(int4send(n)), '' ORDER BY n) AS noise INTO TEMP noise FROM generate_series(1, 10000) AS n;
SELECT support.add_attachment(1, 'noise', noise) FROM noise;
SELECT support.attachment_content(1, 3) = noise AS is_equal, length(noise) FROM noise;
-- Without an actor nobody uploaded it.
SELECT support.set_actor(NULL);
SELECT support.add_attachment(1, 'anonymous.txt', 'who?');
SELECT uploaded_by FROM support.attachments WHERE id = 4;
SELECT support.set_actor(1);

-- Equal files are kept once a ticket, under whatever name; another ticket has its own.
SELECT support.add_attachment(1, 'copy of fire.jpg', '\xffd8ff00');
SELECT support.add_attachment(2, 'fire.jpg', '\xffd8ff00');
SELECT ticket_id, count(*) FROM support.attachments WHERE byte_size = 4 AND content_type ~ 'image|octet' AND filename ~ 'fire'
GROUP BY ticket_id ORDER BY ticket_id;
SELECT ticket_id, count(*) FROM support_internal.attachment_contents WHERE content = '\xffd8ff00' GROUP BY ticket_id ORDER BY ticket_id;
DELETE FROM support.attachments WHERE filename = 'fire.jpg' AND ticket_id = 1;
SELECT support.attachment_content(1, 5);

-- The log knows what is known of the file, and has no copy of its bytes.
SELECT action, record_id, old_value FROM support.audit_log
WHERE table_name = 'attachments' AND ticket_id = 1 ORDER BY id;

-- The limit is in bytes and is the last size that is taken.
SELECT support.configure('max_attachment_size', '2kB');
SELECT support.add_attachment(1, 'just right', convert_to(repeat('x', 2048), 'UTF8')) IS NOT NULL AS taken;
SELECT support.add_attachment(1, 'too large', convert_to(repeat('x', 2049), 'UTF8'));
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_attachment(1, 'too large', noise) FROM noise;
\echo :LAST_ERROR_SQLSTATE
SELECT support.configure('max_attachment_size', '0');
SELECT support.add_attachment(1, 'empty', '') IS NOT NULL AS taken;
SELECT support.add_attachment(1, 'one byte', 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM support.attachments WHERE filename = 'too large';
SELECT support.configure('max_attachment_size', NULL);

-- The files of a private note are private.
SELECT support.add_comment(1, 'He smokes', is_private => true) AS note \gset
SELECT support.add_comment(1, 'Which printer?') AS question \gset
SELECT support.add_attachment(1, 'ashtray.jpg', '\x01', comment_id => :note) AS private_file \gset
SELECT support.add_attachment(1, 'printers.txt', 'left, right', comment_id => :question) AS public_file \gset
SELECT jsonb_path_query_array(support.get_ticket(1), '$.attachments[*].filename') AS everybody;
SELECT jsonb_path_query_array(support.get_ticket(1, include_private => true), '$.attachments[*].filename') AS agents;
SELECT * FROM support.show_ticket(1) AS line WHERE line ~ 'attached';
SELECT * FROM support.show_ticket(1, include_private => true) AS line WHERE line ~ 'attached';
-- Those of a deleted comment are not shown.
SELECT support.delete_comment(1, :question);
SELECT jsonb_path_exists(support.get_ticket(1), '$.attachments[*] ? (@.filename == "printers.txt")') AS shown;
SELECT support.restore_comment(1, :question);
SELECT jsonb_path_exists(support.get_ticket(1), '$.attachments[*] ? (@.filename == "printers.txt")') AS shown;

-- So it is with their bytes: what is not shown was never there.
SELECT support.attachment_content(1, :private_file);
\echo :LAST_ERROR_SQLSTATE
SELECT support.attachment_content(1, :private_file, include_private => NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT support.attachment_content(1, :private_file, include_private => true);
SELECT convert_from(support.attachment_content(1, :public_file), 'UTF8') AS content;
SELECT support.delete_comment(1, :question);
SELECT support.attachment_content(1, :public_file, include_private => true);
\echo :LAST_ERROR_SQLSTATE
SELECT support.restore_comment(1, :question);
-- A comment that row security hides is not there, and neither are its files, whatever is asked for.
CREATE ROLE regress_attachment_customer;
GRANT USAGE ON SCHEMA support TO regress_attachment_customer;
GRANT SELECT ON ALL TABLES IN SCHEMA support TO regress_attachment_customer;
GRANT INSERT ON support.attachments TO regress_attachment_customer;
GRANT UPDATE ON support.tickets TO regress_attachment_customer;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support TO regress_attachment_customer;
ALTER TABLE support.comments ENABLE ROW LEVEL SECURITY;
CREATE POLICY public_ones ON support.comments TO regress_attachment_customer USING (NOT is_private);
SET ROLE regress_attachment_customer;
SELECT jsonb_path_query_array(support.get_ticket(1), '$.attachments[*].filename') AS everybody;
SELECT jsonb_path_query_array(support.get_ticket(1, include_private => true), '$.attachments[*].filename') AS agents;
SELECT jsonb_path_query_array(support.get_ticket_by_number('T-1', true), '$.attachments[*].filename') AS by_number;
SELECT * FROM support.show_ticket(1, include_private => true) AS line WHERE line ~ 'attached';
SELECT support.attachment_content(1, :private_file);
\echo :LAST_ERROR_SQLSTATE
SELECT support.attachment_content(1, :private_file, include_private => true);
\echo :LAST_ERROR_SQLSTATE
SELECT convert_from(support.attachment_content(1, :public_file, include_private => true), 'UTF8') AS content;
SELECT support.add_attachment(1, 'x', 'x', comment_id => :note);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
DROP POLICY public_ones ON support.comments;
ALTER TABLE support.comments DISABLE ROW LEVEL SECURITY;

-- A file that is kept elsewhere is a plain INSERT.
INSERT INTO support.attachments (id, ticket_id, filename, content_type, created_at) VALUES (NULL, 1, 's3://bucket/key', NULL, NULL)
RETURNING content_type, created_at, byte_size, sha256;
SELECT support.attachment_content(1, id) IS NULL AS kept_elsewhere FROM support.attachments WHERE filename ~ 's3';
COPY support.attachments (ticket_id, filename, byte_size) FROM stdin;
1	s3://bucket/key2	12
\.
SELECT filename, byte_size, created_at FROM support.attachments WHERE filename ~ 'key2';

-- What is missing, blank, too long or unknown is refused.
SELECT support.add_attachment(1, 'x', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_attachment(99, 'x', 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_attachment(1, 'x', 'x', comment_id => 99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_attachment(2, 'x', 'x', comment_id => :question);
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_attachment(NULL, 'x', 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT support.attachment_content(1, 99);
\echo :LAST_ERROR_SQLSTATE
SELECT support.attachment_content(2, 2);
\echo :LAST_ERROR_SQLSTATE
SELECT support.attachment_content(99, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT support.attachment_content(NULL, 1);
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT support.add_attachment(1, NULL, 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_attachment(1, ' ', 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_attachment(1, repeat('x', 256), 'x');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.attachments (ticket_id, filename, byte_size) VALUES (1, 'x', -1);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.attachments (ticket_id, filename, sha256) VALUES (1, 'x', '\x00');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.attachments (ticket_id, comment_id, filename) VALUES (2, :question, 'x');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO support.attachments (ticket_id, filename) VALUES (99, 'x');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT count(*) FROM support.attachments WHERE filename IN ('x', ' ');
SELECT count(*) FROM support_internal.attachment_contents WHERE content = 'x';

-- A deleted ticket neither takes files nor shows them, and has them again when it is back.
SELECT support.delete_ticket(2);
SELECT support.add_attachment(2, 'x', 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT support.attachment_content(2, 6);
\echo :LAST_ERROR_SQLSTATE
DELETE FROM support.tickets WHERE id = 2;
SELECT support.add_attachment(2, 'x', 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT support.attachment_content(2, 6);
\echo :LAST_ERROR_SQLSTATE
SELECT support.restore_ticket(2) IS NOT NULL AS restored;
SELECT support.restore_ticket(2) IS NOT NULL AS restored;
SELECT support.attachment_content(2, 6);

\c contrib_regression
DROP DATABASE regress_attachment;
DROP ROLE regress_attachment_customer;
