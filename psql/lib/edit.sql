-- Lets a person write :text in an editor, the one that psql's \e uses. Below a line with >8 is the ticket, to look at.
-- Leaving the editor with an error sends nothing.

\set draft `mktemp`
:desk_safely
SELECT format(E'\n-------- >8 -------- what is below this line is not sent\n%s', string_agg(s.line, E'\n' ORDER BY s.n))
FROM support.show_ticket(:ticket_id, include_private => true) WITH ORDINALITY AS s (line, n)
\g (format=unaligned tuples_only=on expanded=off) :draft
\setenv DESK_DRAFT :draft
\echo The draft is :draft
\! ${PSQL_EDITOR:-${EDITOR:-${VISUAL:-vi}}} "$DESK_DRAFT" || : >"$DESK_DRAFT"
\set text `sed '/^-* >8 -/,$d' "$DESK_DRAFT"`
:desk_safely SELECT btrim(:'text', E' \t\r\n') AS text \gset
