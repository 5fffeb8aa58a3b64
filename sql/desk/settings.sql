-- What the desk's owner decides for all: nobody else reads or writes it here.

CREATE TABLE support_internal.settings
(
	name text NOT NULL,
	value text NOT NULL,
	CONSTRAINT settings_pkey PRIMARY KEY (name)
);

COMMENT ON TABLE support_internal.settings IS
	'Settings of the desk that are not at their default, written by support.configure() and shown by support.settings(). They are the owner''s alone: a setting of the server would be anybody''s.';
COMMENT ON COLUMN support_internal.settings.name IS 'Name, as support.settings() lists it.';
COMMENT ON COLUMN support_internal.settings.value IS 'Value, as the owner wrote it.';
