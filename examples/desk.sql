-- A desk for the examples: two agents, two customers, a team, and a role "app" with the rights of an application.
--
--		createdb desk
--		psql --dbname=desk --file=examples/desk.sql

CREATE EXTENSION support_ext;

SELECT support.create_user('ada@example.com', 'Ada Byron', role => 'agent');
SELECT support.create_user('carl@example.com', 'Carl Friedrich');
SELECT support.create_user('grace@example.com', 'Grace Brewster', role => 'agent');
SELECT support.create_user('emmy@example.com', 'Emmy Amalie');
SELECT support.create_team('First line');

SELECT 'CREATE ROLE app LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app')
\gexec
-- INSERT into the log is for events of the application's own; nobody changes or deletes what is there
GRANT USAGE ON SCHEMA support TO app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA support TO app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA support TO app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA support TO app;
