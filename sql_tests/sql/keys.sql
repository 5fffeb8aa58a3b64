-- What mappers take for a key is one: an id names one row, and ON CONFLICT finds the others by their columns.
CREATE DATABASE regress_keys;
\c regress_keys
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';

INSERT INTO support.users (email, full_name, role)
VALUES ('ann@desk.example', 'Ann Agent', 'agent'), ('carl@corp.example', 'Carl Customer', 'customer');
SELECT support.create_sla_policy('Standard', '[{"metric": "first_reply", "target": "1 hour"}]') AS policy \gset
INSERT INTO support.tickets (title, description, creator_id)
VALUES ('Printer on fire', '', 2), ('Scanner on fire', '', 2);
INSERT INTO support.comments (ticket_id, id, author_id, content) VALUES (1, 10, 2, 'It smokes.');
INSERT INTO support.attachments (ticket_id, id, filename) VALUES (1, 10, 'smoke.jpg');

-- Another ticket's comment, file, clock or turn with the same id.
INSERT INTO support.comments (ticket_id, id, author_id, content) VALUES (2, 10, 2, 'It smokes as well.');
INSERT INTO support.attachments (ticket_id, id, filename) VALUES (2, 10, 'smoke.jpg');
INSERT INTO support.sla_clocks SELECT (jsonb_populate_record(c, '{"ticket_id": 2}')).* FROM support.sla_clocks AS c WHERE ticket_id = 1;
INSERT INTO support.sla_events SELECT (jsonb_populate_record(e, '{"ticket_id": 2}')).* FROM support.sla_events AS e WHERE ticket_id = 1;
-- So an UPDATE by the id alone is of one row.
UPDATE support.comments SET content = 'It smokes a lot.' WHERE id = 10;

-- What is there is found, and changed, by the columns that ON CONFLICT names.
INSERT INTO support.organizations (name, external_id) VALUES ('Corp', 'crm-1');
INSERT INTO support.organizations AS o (name, external_id) VALUES ('Corp Ltd', 'crm-1')
ON CONFLICT (external_id) DO UPDATE SET name = excluded.name RETURNING o.id, o.name;
INSERT INTO support.users (email, full_name, external_id) VALUES ('dora@corp.example', 'Dora', 'crm-2');
INSERT INTO support.users AS u (email, full_name, external_id) VALUES ('dora@corp.example', 'Dora Doe', 'crm-2')
ON CONFLICT (external_id) DO UPDATE SET full_name = excluded.full_name RETURNING u.full_name;
INSERT INTO support.users AS u (email, full_name) VALUES ('dora@corp.example', 'Dora D.')
ON CONFLICT (email) DO UPDATE SET full_name = excluded.full_name RETURNING u.full_name, u.external_id;
INSERT INTO support.tickets (title, description, creator_id, external_id) VALUES ('Fax on fire', '', 2, 'mail-1');
INSERT INTO support.tickets AS t (title, description, creator_id, external_id) VALUES ('Fax', '', 2, 'mail-1')
ON CONFLICT (external_id) DO UPDATE SET title = excluded.title RETURNING t.title, t.version;
-- as written for a desk of which the constraint was an index with a condition
INSERT INTO support.tickets (title, description, creator_id, external_id) VALUES ('Fax', '', 2, 'mail-1')
ON CONFLICT (external_id) WHERE external_id IS NOT NULL DO NOTHING;
INSERT INTO support.tickets AS t (title, description, creator_id, ticket_number) VALUES ('Printer', '', 2, 'T-1')
ON CONFLICT (ticket_number) DO UPDATE SET title = excluded.title RETURNING t.id, t.title;
INSERT INTO support.comments (ticket_id, author_id, content, external_id) VALUES (1, 2, 'One', 'mail-2');
INSERT INTO support.comments AS c (ticket_id, author_id, content, external_id) VALUES (1, 2, 'Two', 'mail-2')
ON CONFLICT (ticket_id, external_id) DO UPDATE SET content = excluded.content RETURNING c.content;
INSERT INTO support.tags (name) VALUES ('fire');
INSERT INTO support.tags AS t (name) VALUES ('fire')
ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING t.id, t.name;

-- Rows without a key of another system are as many as one likes.
SELECT count(*) FROM support.tickets WHERE external_id IS NULL;

-- No id is 0 or below: 0 stands for none.
DO $$
DECLARE
	attempt text;
BEGIN
	FOREACH attempt IN ARRAY ARRAY[
		$i$tickets (id, title, description, creator_id) VALUES (0, 'x', '', 2)$i$,
		$i$comments (id, ticket_id, author_id, content) VALUES (0, 1, 2, 'x')$i$,
		$i$comments (id, ticket_id, author_id, content) VALUES (-5, 1, 2, 'x')$i$,
		$i$attachments (id, ticket_id, filename) VALUES (0, 1, 'x')$i$,
		$i$users (id, email, full_name) VALUES (0, 'x@corp.example', 'x')$i$,
		$i$organizations (id, name) VALUES (0, 'x')$i$,
		$i$teams (id, name) VALUES (0, 'x')$i$,
		$i$tags (id, name) VALUES (0, 'x')$i$]
	LOOP
		BEGIN
			EXECUTE 'INSERT INTO support.' || attempt;
			RAISE WARNING 'taken: %', attempt;
		EXCEPTION WHEN check_violation THEN
			RAISE NOTICE '%', SQLERRM;
		END;
	END LOOP;
END
$$;

-- Without its constraint, an id is the table's key within a ticket alone, and the desk works on.
ALTER TABLE support.comments DROP CONSTRAINT ix_comments_id;
ALTER TABLE support.attachments DROP CONSTRAINT ix_attachments_id;
ALTER TABLE support.sla_clocks DROP CONSTRAINT ix_sla_clocks_id;
ALTER TABLE support.sla_events DROP CONSTRAINT ix_sla_events_id;
INSERT INTO support.comments (ticket_id, id, author_id, content) VALUES (2, 10, 2, 'It smokes as well.');
SELECT support.add_comment(2, 'On our way', author_id => 1) IS NOT NULL AS answered;
DELETE FROM support.tickets WHERE id = 2;
SELECT support.restore_ticket(2);
SELECT ticket_id, id, content FROM support.comments WHERE id = 10 ORDER BY ticket_id;
SELECT ticket_id, metric, state FROM support.sla_clocks ORDER BY ticket_id;

\c contrib_regression
DROP DATABASE regress_keys;
