-- Chance and time, for the planning. Functions of pg_temp are gone with the session.

-- Begin a sequence of random numbers that the seed decides
CREATE FUNCTION pg_temp.draw_from_seed(sequence integer)
RETURNS void
LANGUAGE sql
AS $$
	SELECT setseed((p.seed % 1000000 * 7919 + sequence * 104729) % 1000000 / 1000000.0)
	FROM pg_temp.plan AS p
$$;

-- True in this share of the cases
CREATE FUNCTION pg_temp.chance(share double precision)
RETURNS boolean
LANGUAGE sql
AS $$ SELECT random() < share $$;

-- One of the list
CREATE FUNCTION pg_temp.pick(list text[])
RETURNS text
LANGUAGE plpgsql
AS $$
BEGIN
	RETURN list[1 + floor(random() * cardinality(list))::integer];
END
$$;

-- A time some hours later: mostly soon, sometimes much later, as waiting times are
CREATE FUNCTION pg_temp.later(at timestamptz, hours double precision)
RETURNS timestamptz
LANGUAGE sql
AS $$ SELECT at + greatest(-ln(1 - random()) * hours, 0.05) * interval '1 hour' $$;

-- This time if the desk is open, Monday to Friday from 8 to 18, else one soon after the next opening
CREATE FUNCTION pg_temp.office_time(at timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql
AS $$
DECLARE
	opening timestamptz := date_trunc('day', at) + interval '8 hours';
BEGIN
	IF extract(isodow FROM at) <= 5 AND at >= opening AND at < opening + interval '10 hours' THEN
		RETURN at;
	END IF;
	IF at >= opening THEN
		opening := opening + interval '1 day';
	END IF;
	WHILE extract(isodow FROM opening) > 5 LOOP
		opening := opening + interval '1 day';
	END LOOP;
	RETURN opening + random() ^ 2 * interval '150 minutes';
END
$$;

-- This time, or one in the morning if people sleep then
CREATE FUNCTION pg_temp.waking_time(at timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql
AS $$
DECLARE
	morning timestamptz := date_trunc('day', at) + interval '7 hours';
BEGIN
	IF at >= morning AND at < morning + interval '15 hours' THEN
		RETURN at;
	END IF;
	IF at >= morning THEN
		morning := morning + interval '1 day';
	END IF;
	RETURN morning + random() * interval '2 hours';
END
$$;

-- A name as it stands in a mail address
CREATE FUNCTION pg_temp.mail_name(name text)
RETURNS text
LANGUAGE sql
AS $$ SELECT regexp_replace(translate(lower(name), 'åäçèéëñńóöøü', 'aaceeennooou'), '[^a-z]+', '.', 'g') $$;
