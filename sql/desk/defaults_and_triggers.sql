-- What needs the extension's code: defaults and triggers. DROP EXTENSION ... CASCADE takes them away and leaves the
-- tables whole; support.install() puts them back.

ALTER TABLE support.organizations ALTER COLUMN created_at SET DEFAULT support.desk_now();
ALTER TABLE support.users ALTER COLUMN created_at SET DEFAULT support.desk_now();
ALTER TABLE support.users ALTER COLUMN updated_at SET DEFAULT support.desk_now();
ALTER TABLE support.teams ALTER COLUMN created_at SET DEFAULT support.desk_now();
ALTER TABLE support.calendars ALTER COLUMN created_at SET DEFAULT support.desk_now();
ALTER TABLE support.sla_policies ALTER COLUMN created_at SET DEFAULT support.desk_now();
ALTER TABLE support.holds ALTER COLUMN placed_at SET DEFAULT support.desk_now();
ALTER TABLE support.ticket_rules ALTER COLUMN created_at SET DEFAULT support.desk_now();
ALTER TABLE support.tickets ALTER COLUMN ticket_number SET DEFAULT support.next_ticket_number();
ALTER TABLE support.tickets ALTER COLUMN status SET DEFAULT support_internal.default_status();
ALTER TABLE support.tickets ALTER COLUMN created_at SET DEFAULT support.desk_now();
ALTER TABLE support.tickets ALTER COLUMN updated_at SET DEFAULT support.desk_now();
ALTER TABLE support.comments ALTER COLUMN created_at SET DEFAULT support.desk_now();
ALTER TABLE support.attachments ALTER COLUMN created_at SET DEFAULT support.desk_now();
ALTER TABLE support.audit_log ALTER COLUMN occurred_at SET DEFAULT support.desk_now();
ALTER TABLE support.audit_log ALTER COLUMN actor_id SET DEFAULT support.actor_id();

-- Each table has at most three triggers of ours. The AFTER trigger's name sorts before RI_ConstraintTrigger, so that our
-- error comes before the foreign key's. The argument is the table's logical name, which outlives a rename.

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support.organizations
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('organizations');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.organizations
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('organizations');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.organizations
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('organizations');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support.users
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('users');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.users
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('users');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.users
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('users');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support.teams
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('teams');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.teams
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('teams');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.teams
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('teams');

CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.team_members
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('team_members');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.team_members
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('team_members');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support.statuses
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('statuses');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.statuses
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('statuses');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.statuses
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('statuses');

CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.status_transitions
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('status_transitions');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.status_transitions
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('status_transitions');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support.priorities
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('priorities');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.priorities
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('priorities');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.priorities
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('priorities');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support.calendars
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('calendars');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.calendars
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('calendars');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.calendars
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('calendars');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support.calendar_hours
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('calendar_hours');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.calendar_hours
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('calendar_hours');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.calendar_hours
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('calendar_hours');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support.calendar_holidays
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('calendar_holidays');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.calendar_holidays
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('calendar_holidays');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.calendar_holidays
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('calendar_holidays');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support.sla_policies
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('sla_policies');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.sla_policies
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('sla_policies');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.sla_policies
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('sla_policies');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support.sla_targets
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('sla_targets');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.sla_targets
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('sla_targets');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.sla_targets
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('sla_targets');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support.holds
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('holds');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.holds
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('holds');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.holds
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('holds');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support.ticket_rules
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('ticket_rules');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.ticket_rules
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('ticket_rules');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.ticket_rules
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('ticket_rules');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support_internal.settings
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('settings');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support_internal.settings
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('settings');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support_internal.settings
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('settings');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support_internal.access
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('access');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support_internal.access
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('access');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support_internal.access
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('access');

CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.sla_clocks
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('sla_clocks');

CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.sla_events
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('sla_events');

CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.backlog
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('backlog');

CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.search_words
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('search_words');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support.tickets
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('tickets');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.tickets
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('tickets');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.tickets
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('tickets');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support.comments
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('comments');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.comments
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('comments');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.comments
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('comments');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support.attachments
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('attachments');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.attachments
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('attachments');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.attachments
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('attachments');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support.tags
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('tags');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.tags
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('tags');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.tags
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('tags');

CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.ticket_tags
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('ticket_tags');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.ticket_tags
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('ticket_tags');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE ON support.ticket_watchers
	FOR EACH ROW EXECUTE FUNCTION support_internal.before_row('ticket_watchers');
CREATE TRIGGER "A_support_after"
	AFTER INSERT OR UPDATE OR DELETE ON support.ticket_watchers
	FOR EACH ROW EXECUTE FUNCTION support_internal.after_row('ticket_watchers');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.ticket_watchers
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('ticket_watchers');

CREATE TRIGGER support_before
	BEFORE INSERT OR UPDATE OR DELETE ON support.audit_log
	FOR EACH ROW EXECUTE FUNCTION support_internal.guard_log('audit_log');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support.audit_log
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('audit_log');
CREATE TRIGGER support_truncate
	BEFORE TRUNCATE ON support_internal.audit_log_default
	FOR EACH STATEMENT EXECUTE FUNCTION support_internal.refuse_truncate('audit_log');

COMMENT ON TRIGGER support_before ON support.organizations IS 'Fills in defaults where an INSERT sends NULL, leaves what there is where an UPDATE does; trims names.';
COMMENT ON TRIGGER "A_support_after" ON support.organizations IS 'Writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.organizations IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support.users IS 'Fills in defaults where an INSERT sends NULL, leaves what there is where an UPDATE does; keeps updated_at.';
COMMENT ON TRIGGER "A_support_after" ON support.users IS 'Writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.users IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support.teams IS 'Fills in defaults where an INSERT sends NULL, leaves what there is where an UPDATE does; trims names.';
COMMENT ON TRIGGER "A_support_after" ON support.teams IS 'Writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.teams IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER "A_support_after" ON support.team_members IS 'Writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.team_members IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support.statuses IS 'Fills in defaults where an INSERT sends NULL, leaves what there is where an UPDATE does; trims names.';
COMMENT ON TRIGGER "A_support_after" ON support.statuses IS 'Writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.statuses IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER "A_support_after" ON support.status_transitions IS 'Writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.status_transitions IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support.priorities IS 'Fills in defaults where an INSERT sends NULL, leaves what there is where an UPDATE does; trims names.';
COMMENT ON TRIGGER "A_support_after" ON support.priorities IS 'Writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.priorities IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support.calendars IS 'Fills in defaults where an INSERT sends NULL, leaves what there is where an UPDATE does; checks the time zone.';
COMMENT ON TRIGGER "A_support_after" ON support.calendars IS 'Writes the change to the audit log; refuses to delete a calendar that is in use.';
COMMENT ON TRIGGER support_truncate ON support.calendars IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support.calendar_hours IS 'Fills in defaults where an INSERT sends NULL, leaves what there is where an UPDATE does; checks the span.';
COMMENT ON TRIGGER "A_support_after" ON support.calendar_hours IS 'Refuses spans that overlap; writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.calendar_hours IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support.calendar_holidays IS 'Fills in defaults where an INSERT sends NULL, leaves what there is where an UPDATE does; checks the span.';
COMMENT ON TRIGGER "A_support_after" ON support.calendar_holidays IS 'Refuses spans that overlap; writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.calendar_holidays IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support.sla_policies IS 'Fills in defaults where an INSERT sends NULL, leaves what there is where an UPDATE does, the next position among them; checks the conditions.';
COMMENT ON TRIGGER "A_support_after" ON support.sla_policies IS 'Writes the change to the audit log; ends the clocks of a policy that is made inactive; refuses to delete one that is in use.';
COMMENT ON TRIGGER support_truncate ON support.sla_policies IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support.sla_targets IS 'Fills in defaults where an INSERT sends NULL, leaves what there is where an UPDATE does, the pauses of the metric among them; checks the target, and that it is the only one for the same.';
COMMENT ON TRIGGER "A_support_after" ON support.sla_targets IS 'Checks what the target refers to and writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.sla_targets IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support.holds IS 'Fills in defaults where an INSERT sends NULL, leaves what there is where an UPDATE does; trims the reason.';
COMMENT ON TRIGGER "A_support_after" ON support.holds IS 'Writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.holds IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support.ticket_rules IS 'Fills in defaults where an INSERT sends NULL, leaves what there is where an UPDATE does; trims the name.';
COMMENT ON TRIGGER "A_support_after" ON support.ticket_rules IS 'Writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.ticket_rules IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support_internal.access IS 'Takes part in what the desk''s other tables do.';
COMMENT ON TRIGGER "A_support_after" ON support_internal.access IS 'Writes the change to the audit log, and tells sessions of it.';
COMMENT ON TRIGGER support_truncate ON support_internal.access IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support_internal.settings IS 'Checks the name and the value.';
COMMENT ON TRIGGER "A_support_after" ON support_internal.settings IS 'Writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support_internal.settings IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_truncate ON support.sla_clocks IS 'Refuses TRUNCATE.';
COMMENT ON TRIGGER support_truncate ON support.sla_events IS 'Refuses TRUNCATE.';
COMMENT ON TRIGGER support_truncate ON support.backlog IS 'Refuses TRUNCATE.';
COMMENT ON TRIGGER support_truncate ON support.search_words IS 'Refuses TRUNCATE.';
COMMENT ON TRIGGER support_before ON support.tickets IS 'Fills in defaults where an INSERT sends NULL, leaves what there is where an UPDATE does; checks the status and keeps version, updated_at and the solved times.';
COMMENT ON TRIGGER "A_support_after" ON support.tickets IS 'Checks what the ticket refers to and writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.tickets IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support.comments IS 'Fills in defaults where an INSERT sends NULL, leaves what there is where an UPDATE does; keeps author_role and edited_at.';
COMMENT ON TRIGGER "A_support_after" ON support.comments IS 'Refuses comments on deleted and closed tickets, keeps the ticket''s reply bookkeeping and writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.comments IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support.attachments IS 'Fills in defaults where an INSERT sends NULL, leaves what there is where an UPDATE does; trims names.';
COMMENT ON TRIGGER "A_support_after" ON support.attachments IS 'Writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.attachments IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support.tags IS 'Fills in defaults where an INSERT sends NULL, leaves what there is where an UPDATE does; trims names.';
COMMENT ON TRIGGER "A_support_after" ON support.tags IS 'Writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.tags IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER "A_support_after" ON support.ticket_tags IS 'Writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.ticket_tags IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support.ticket_watchers IS 'Fills in defaults where an INSERT sends NULL, leaves what there is where an UPDATE does.';
COMMENT ON TRIGGER "A_support_after" ON support.ticket_watchers IS 'Writes the change to the audit log.';
COMMENT ON TRIGGER support_truncate ON support.ticket_watchers IS 'Refuses TRUNCATE, which no row trigger sees.';
COMMENT ON TRIGGER support_before ON support.audit_log IS 'Stamps an application''s own entry; refuses to change or delete any.';
COMMENT ON TRIGGER support_truncate ON support.audit_log IS 'Refuses TRUNCATE.';
COMMENT ON TRIGGER support_truncate ON support_internal.audit_log_default IS 'Refuses TRUNCATE.';
