-- The words that tickets and comments are found by, beside their rows, which change more often.

CREATE TABLE support.search_words
(
	ticket_id bigint NOT NULL,
	comment_id bigint NOT NULL,
	words tsvector NOT NULL,
	CONSTRAINT search_words_pkey PRIMARY KEY (ticket_id, comment_id)
);
CREATE INDEX ix_search_words_words ON support.search_words USING gin (words) WITH (gin_pending_list_limit = 256);

COMMENT ON TABLE support.search_words IS
	'The words of tickets and comments, for full-text search. Kept by the triggers on both; follows from these, so the audit log has nothing of it. Words of private notes and of what was marked as deleted are here, too: join what tells.';
COMMENT ON COLUMN support.search_words.ticket_id IS 'The ticket.';
COMMENT ON COLUMN support.search_words.comment_id IS 'The comment of the ticket; 0 is the ticket itself.';
COMMENT ON COLUMN support.search_words.words IS
	'Configuration simple. Of a ticket the words of title and number (weight A) and of the description (C), of a comment those of its text (D); of each text the first 100,000 characters, with a blank after each 255 that have none.';
COMMENT ON INDEX support.ix_search_words_words IS 'Finds tickets and comments by their words.';

CREATE OR REPLACE VIEW support_internal.search_expected AS
SELECT
	t.id AS ticket_id,
	0::bigint AS comment_id,
	setweight(to_tsvector('pg_catalog.simple', regexp_replace(left(t.title, 100000), '([^ \t\n\r\f\v]{255})', '\1 ', 'g')), 'A')
		|| setweight(to_tsvector('pg_catalog.simple', regexp_replace(left(t.ticket_number, 100000), '([^ \t\n\r\f\v]{255})', '\1 ', 'g')), 'A')
		|| setweight(to_tsvector('pg_catalog.simple', regexp_replace(left(t.description, 100000), '([^ \t\n\r\f\v]{255})', '\1 ', 'g')), 'C') AS words
FROM support.tickets AS t
UNION ALL
SELECT
	c.ticket_id,
	c.id AS comment_id,
	setweight(to_tsvector('pg_catalog.simple', regexp_replace(left(c.content, 100000), '([^ \t\n\r\f\v]{255})', '\1 ', 'g')), 'D')
FROM support.comments AS c;

COMMENT ON VIEW support_internal.search_expected IS 'What support.search_words should have, by tickets and comments.';
COMMENT ON COLUMN support_internal.search_expected.ticket_id IS 'The ticket.';
COMMENT ON COLUMN support_internal.search_expected.comment_id IS 'The comment; 0 is the ticket itself.';
COMMENT ON COLUMN support_internal.search_expected.words IS 'Its words.';

CREATE OR REPLACE VIEW support_internal.search_strays AS
SELECT
	w.ticket_id,
	w.comment_id
FROM support.search_words AS w
LEFT JOIN support.tickets AS t ON t.id = w.ticket_id AND w.comment_id = 0
LEFT JOIN support.comments AS c ON c.ticket_id = w.ticket_id AND c.id = w.comment_id
WHERE t.id IS NULL
	AND c.id IS NULL;

COMMENT ON VIEW support_internal.search_strays IS 'Rows of support.search_words for what is not there: none if all is right. support.install() removes them.';
COMMENT ON COLUMN support_internal.search_strays.ticket_id IS 'The ticket.';
COMMENT ON COLUMN support_internal.search_strays.comment_id IS 'The comment; 0 is the ticket itself.';

CREATE OR REPLACE VIEW support_internal.search_gaps AS
SELECT
	e.ticket_id,
	e.comment_id,
	e.words
FROM support_internal.search_expected AS e
WHERE NOT EXISTS (SELECT FROM support.search_words AS w WHERE w.ticket_id = e.ticket_id AND w.comment_id = e.comment_id);

COMMENT ON VIEW support_internal.search_gaps IS 'Tickets and comments without their row in support.search_words: none if all is right. support.install() fills them.';
COMMENT ON COLUMN support_internal.search_gaps.ticket_id IS 'The ticket.';
COMMENT ON COLUMN support_internal.search_gaps.comment_id IS 'The comment; 0 is the ticket itself.';
COMMENT ON COLUMN support_internal.search_gaps.words IS 'The words that it should have.';

CREATE OR REPLACE VIEW support_internal.search_flaws AS
SELECT
	coalesce(w.ticket_id, e.ticket_id) AS ticket_id,
	coalesce(w.comment_id, e.comment_id) AS comment_id,
	CASE
		WHEN e.ticket_id IS NULL THEN 'is not there'
		WHEN w.ticket_id IS NULL THEN 'is missing'
		ELSE 'differs'
	END AS flaw
FROM support.search_words AS w
FULL JOIN support_internal.search_expected AS e ON e.ticket_id = w.ticket_id AND e.comment_id = w.comment_id
WHERE w.words IS DISTINCT FROM e.words;

COMMENT ON VIEW support_internal.search_flaws IS
	'Where support.search_words says something else than tickets and comments do: none if all is right. Splits every text.';
COMMENT ON COLUMN support_internal.search_flaws.ticket_id IS 'The ticket.';
COMMENT ON COLUMN support_internal.search_flaws.comment_id IS 'The comment; 0 is the ticket itself.';
COMMENT ON COLUMN support_internal.search_flaws.flaw IS 'What is wrong with its row.';
