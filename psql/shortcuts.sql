-- The scripts by short names, for a session at the desk. In ~/.psqlrc, with the directory of this file:
--
--   \set desk /usr/local/share/support_ext/psql
--   \i :desk/shortcuts.sql
--
-- And then
--
--   :queue        my tickets                         \set ticket T-1963    for all of these
--   :unassigned   nobody's tickets                   :show                 the ticket
--   :everything   all that is unsolved               :log                  the ticket, and who changed what
--   :find         by words, which it asks for        :reply                reply, asks for a line
--   :open         a ticket, asks for its title       :write                reply, in an editor
--   :crosstab     numbers by team, age and agent     :note                 private note, asks for a line
--   :reports      all reports                        :solve                solve
--   :export       to the file of \set file name
--   :import       from it
--
-- ticket, team and actor stay as they are set. All else that is set for a script is for the next call alone.

\if :{?desk}
\else
	\warn 'shortcuts.sql: \\set desk to the directory of this file first'
	\q
\endif

\set queue '\\set whose mine \\\\ \\i :desk/queue.sql'
\set unassigned '\\set whose unassigned \\\\ \\i :desk/queue.sql'
\set everything '\\set whose all \\\\ \\i :desk/queue.sql'
\set find '\\i :desk/find.sql'
\set open '\\i :desk/open.sql'
\set show '\\set history off \\\\ \\i :desk/show.sql'
\set log '\\set history on \\\\ \\i :desk/show.sql'
\set reply '\\set private off \\\\ \\set editor off \\\\ \\i :desk/reply.sql'
\set write '\\set private off \\\\ \\set editor on \\\\ \\i :desk/reply.sql'
\set note '\\set private on \\\\ \\set editor off \\\\ \\i :desk/reply.sql'
\set solve '\\i :desk/solve.sql'
\set crosstab '\\i :desk/crosstab.sql'
\set reports '\\i :desk/reports.sql'
\set export '\\i :desk/export.sql'
\set import '\\i :desk/import.sql'
