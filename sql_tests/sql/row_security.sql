-- What row security hides from a role does not exist: no function, trigger or message tells it from what never was.
CREATE DATABASE regress_row_security;
\c regress_row_security
CREATE EXTENSION support_ext;
SET support_ext.now = '2026-03-02 09:00+00';
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
\set SHOW_CONTEXT never

INSERT INTO support.users (email, full_name, role) VALUES
	('ann@desk.example', 'Ann Agent', 'agent'),
	('carl@corp.example', 'Carl Customer', 'customer'),
	('cora@corp.example', 'Cora Customer', 'customer');
-- Ticket 1 is Carl's; the others are Cora's: live, marked, removed, closed and purged.
INSERT INTO support.tickets (title, description, creator_id, external_id) VALUES
	('Printer on fire', '', 2, 'mail-1'),
	('Live', '', 3, 'mail-2'),
	('Marked', '', 3, 'mail-3'),
	('Removed', '', 3, 'mail-4'),
	('Closed', '', 3, 'mail-5'),
	('Purged', '', 3, 'mail-6');
INSERT INTO support.comments (ticket_id, author_id, content, is_private)
SELECT t.id, 1, 'About ' || t.title, p.is_private FROM support.tickets AS t CROSS JOIN (VALUES (false), (true)) AS p (is_private)
ORDER BY t.id, p.is_private;
SELECT support.set_status(5, 'closed');
DELETE FROM support.tickets WHERE id = 6;
SET support_ext.now = '2026-03-02 10:00+00';
SELECT support.purge_deleted('0');
UPDATE support.tickets SET deleted_at = support.desk_now() WHERE id = 3;
DELETE FROM support.tickets WHERE id = 4;
-- On ticket 1: a private note, one that was marked, one that was removed, and one that was removed and came back.
SELECT support.add_comment(1, 'Marked', true, author_id => 1) AS marked \gset
SELECT support.add_comment(1, 'Removed', true, author_id => 1) AS removed \gset
SELECT support.add_comment(1, 'Back', true, author_id => 1, external_id => 'note-1') AS back \gset
SELECT support.delete_comment(1, :marked);
DELETE FROM support.comments WHERE id IN (:removed, :back);
SELECT support.restore_comment(1, :back);

CREATE ROLE regress_row_security_portal;
GRANT USAGE ON SCHEMA support TO regress_row_security_portal;
GRANT SELECT ON ALL TABLES IN SCHEMA support TO regress_row_security_portal;
GRANT INSERT, UPDATE, DELETE ON support.tickets, support.comments, support.attachments, support.ticket_tags, support.tags,
	support.ticket_watchers TO regress_row_security_portal;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA support TO regress_row_security_portal;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support TO regress_row_security_portal;
ALTER TABLE support.tickets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON support.tickets TO regress_row_security_portal USING (coalesce(requester_id, creator_id) = support.actor_id());
ALTER TABLE support.comments ENABLE ROW LEVEL SECURITY;
CREATE POLICY public_ones ON support.comments TO regress_row_security_portal USING (NOT is_private);
ALTER TABLE support.audit_log ENABLE ROW LEVEL SECURITY;

-- What a statement is answered: its SQLSTATE and message, the number of the ticket or comment left out.
CREATE FUNCTION public.told(statement text, id bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
BEGIN
	EXECUTE replace(statement, '#', id::text);
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
	RETURN SQLSTATE || ': ' || regexp_replace(message, '\m' || id || '\M', '#');
END $$;

SET ROLE regress_row_security_portal;
SELECT support.set_actor(2);
SELECT id, title FROM support.tickets;

-- Of five hidden tickets and one that never was, all say the same.
SELECT c.call, string_agg(DISTINCT public.told(c.call, t.id), ' | ') AS told
FROM unnest(ARRAY[
	$$SELECT support.get_ticket(#)$$,
	$$SELECT support.get_ticket_by_number('T-#')$$,
	$$SELECT support.ticket_id('T-#')$$,
	$$SELECT support.show_ticket(#)$$,
	$$SELECT support.ticket_history(#)$$,
	$$SELECT support.update_ticket(#, '{"title": "x"}')$$,
	$$SELECT support.set_status(#, 'pending')$$,
	$$SELECT support.set_status(#, 'pending', expected_version => 1)$$,
	$$SELECT support.set_priority(#, 'low')$$,
	$$SELECT support.assign_ticket(#, 1)$$,
	$$SELECT support.transfer_ticket_ownership(#, 2)$$,
	$$SELECT support.add_comment(#, 'x')$$,
	$$SELECT support.edit_comment(#, # * 2, 'x')$$,
	$$SELECT support.delete_comment(#, # * 2)$$,
	$$SELECT support.restore_comment(#, # * 2)$$,
	$$SELECT support.add_attachment(#, 'x', 'x')$$,
	$$SELECT support.attachment_content(#, 1)$$,
	$$SELECT support.tag_ticket(#, '{x}')$$,
	$$SELECT support.untag_ticket(#, '{x}')$$,
	$$SELECT support.watch_ticket(#, 2)$$,
	$$SELECT support.unwatch_ticket(#, 2)$$,
	$$SELECT support.delete_ticket(#)$$,
	$$SELECT support.restore_ticket(#)$$,
	$$SELECT support.log_event(#, 'x')$$,
	$$SELECT support.sla_explain(#, 'first_reply')$$,
	$$SELECT * FROM support.rows_as_of(NULL::support.tickets, #, '2026-03-02 09:00+00')$$
	]) WITH ORDINALITY AS c (call, place)
CROSS JOIN (VALUES (2), (3), (4), (5), (6), (99)) AS t (id)
GROUP BY c.place, c.call
ORDER BY c.place;

-- A plain INSERT is asked of the policy of its own table; the trigger does not tell what became of the ticket.
SELECT string_agg(DISTINCT public.told($$INSERT INTO support.comments (ticket_id, author_id, content) VALUES (#, 2, 'x')$$, t.id), ' | ') AS told
FROM (VALUES (3), (4), (5), (6), (99)) AS t (id);

-- The same for comments of a ticket that is shown: a private note, one that was marked, removed, or came back.
SELECT c.call, string_agg(DISTINCT public.told(c.call, n.id), ' | ') AS told
FROM unnest(ARRAY[
	$$SELECT support.edit_comment(1, #, 'x')$$,
	$$SELECT support.delete_comment(1, #)$$,
	$$SELECT support.restore_comment(1, #)$$,
	$$SELECT support.add_attachment(1, 'x', 'x', comment_id => #)$$
	]) WITH ORDINALITY AS c (call, place)
CROSS JOIN (VALUES (2), (:marked), (:removed), (:back), (99)) AS n (id)
GROUP BY c.place, c.call
ORDER BY c.place;

-- A key of another system is taken; by what, only who sees that is told.
SELECT support.create_ticket('Show me', external_id => 'mail-2');
\echo :LAST_ERROR_SQLSTATE
SELECT support.create_ticket('Printer on fire', external_id => 'mail-1');
SELECT support.add_comment(1, 'Show me', external_id => 'note-1');
\echo :LAST_ERROR_SQLSTATE
SELECT support.add_comment(1, 'By mail', external_id => 'mail-7') AS mine \gset
SELECT support.add_comment(1, 'By mail', external_id => 'mail-7') = :mine AS is_mine;

-- Who may read what the log has of a removal knows of it, and brings the ticket back. Nobody else's row was touched.
RESET ROLE;
CREATE POLICY own ON support.audit_log FOR SELECT TO regress_row_security_portal USING (ticket_id = 4);
DELETE FROM support.tickets WHERE id = 5;
SET ROLE regress_row_security_portal;
SELECT support.set_actor(3);
SELECT support.get_ticket(4);
\echo :LAST_ERROR_SQLSTATE
SELECT support.get_ticket_by_number('T-4');
\echo :LAST_ERROR_SQLSTATE
SELECT support.get_ticket(5);
\echo :LAST_ERROR_SQLSTATE
SELECT support.get_ticket_by_number('T-5');
\echo :LAST_ERROR_SQLSTATE
SELECT support.restore_ticket(5);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
DROP POLICY public_ones ON support.comments;
CREATE POLICY every ON support.comments TO regress_row_security_portal USING (true);
SET ROLE regress_row_security_portal;
SELECT support.restore_ticket(4) > 0 AS restored;
-- A ticket that was inserted under the id of a removed one is live, and hidden where the policy says so.
RESET ROLE;
INSERT INTO support.tickets (id, title, description, creator_id) OVERRIDING SYSTEM VALUE VALUES (5, 'Another', '', 2);
SELECT count(*) FROM support_internal.recycle_bin WHERE ticket_id = 5;
CREATE POLICY all_of_it ON support.audit_log FOR SELECT TO regress_row_security_portal USING (true);
SET ROLE regress_row_security_portal;
SELECT public.told($$SELECT support.get_ticket(#)$$, 5), public.told($$SELECT support.restore_ticket(#)$$, 5);
RESET ROLE;
SELECT how, ticket_id FROM support.deleted_tickets ORDER BY ticket_id;
SELECT id, title FROM support.tickets ORDER BY id;

\c contrib_regression
DROP DATABASE regress_row_security;
DROP ROLE regress_row_security_portal;
