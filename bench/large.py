"""A desk of two years of tickets, one of twenty unsolved, for lists that people look at all day."""

TEAMS = 40

# An agent has 167 unsolved tickets, a customer 50 in all, an organization 500, on a desk of any size
PER_AGENT, PER_CUSTOMER, PER_ORGANIZATION = 3333, 50, 500

PEOPLE = """
    INSERT INTO support.users (email, full_name, role) SELECT 'b' || n || '@example.com', 'Agent ' || n, 'agent'
    FROM generate_series(21, {agents}) AS n;
    INSERT INTO support.users (email, full_name) SELECT 'd' || n || '@example.com', 'Customer ' || n
    FROM generate_series(501, {customers}) AS n;
    INSERT INTO support.teams (name) SELECT 'Team ' || n FROM generate_series(1, {teams}) AS n;
    INSERT INTO support.organizations (name) SELECT 'Organization ' || n FROM generate_series(1, {organizations}) AS n;
    SELECT support.create_sla_policy('Standard', '[{{"metric": "resolution", "target": "720 hours"}}]');
"""

# Two years of tickets up to now. What a formula of the number decides looks random and is the same each time.
TICKETS = """
    SET session_replication_role = replica;
    CREATE TABLE public.agents AS SELECT row_number() OVER (ORDER BY id) AS n, id FROM support.users WHERE role = 'agent';
    CREATE TABLE public.customers AS SELECT row_number() OVER (ORDER BY id) AS n, id FROM support.users WHERE role = 'customer';
    INSERT INTO support.tickets (title, description, status, priority, creator_id, customer_id, created_at, updated_at,
        organization_id, team_id, assignee_id, first_solved_at, solved_at, waiting_since)
    SELECT
        'Printer on floor ' || i, repeat('It prints nothing but empty pages; please help soon. ', 3),
        CASE WHEN draw % 20 > 0 THEN 'closed' ELSE (ARRAY['open', 'in_progress', 'pending'])[1 + draw / 7919 % 3] END,
        (ARRAY['low', 'normal', 'high', 'urgent', NULL])[1 + draw / 60 % 5],
        c.id, c.id, created_at, created_at, 1 + draw / 300 % {organizations}, 1 + draw / 700 % {teams}, a.id,
        CASE WHEN draw % 20 > 0 THEN created_at + interval '1 day' END,
        CASE WHEN draw % 20 > 0 THEN created_at + interval '1 day' END,
        CASE WHEN draw % 20 = 0 THEN created_at END
    FROM generate_series(1, {tickets}) AS i
    CROSS JOIN LATERAL (SELECT abs(hashint8(i)::bigint) AS draw) AS d
    CROSS JOIN LATERAL
        (SELECT date_trunc('second', now() - ({tickets} - i) / {tickets}.0 * interval '730 days') AS created_at) AS t
    JOIN public.agents AS a ON a.n = 1 + draw / 20 % {agents}
    JOIN public.customers AS c ON c.n = 1 + draw / 1000 % {customers}
    ORDER BY i;
    INSERT INTO support.sla_clocks (ticket_id, metric, instance, policy_id, policy_version, target, pause_categories,
        warn_percents, state, consumed, checkpoint_at, started_at, due_at, warned)
    SELECT id, 'resolution', 1, 1, 1, interval '720:00:00', '{{}}', '{{}}', 'running', '0', created_at, created_at,
        now() + abs(hashint8(id)::bigint) % 2592000 * interval '1 second'
            - interval '1 day' + id * interval '1 microsecond', 0
    FROM support.tickets WHERE solved_at IS NULL;
    CREATE TABLE public.invoices AS SELECT id, abs(hashint8(id)::bigint) % {tickets} + 1 AS ticket_id
    FROM generate_series(1, {tickets} / 10) AS id;
    ALTER TABLE public.invoices ADD PRIMARY KEY (id);
    RESET session_replication_role;
    SELECT support.install();
    VACUUM ANALYZE;
"""


def sizes(tickets):
    """How many of whom a desk has."""
    return {"tickets": tickets, "teams": TEAMS, "agents": max(20, tickets // PER_AGENT),
            "customers": max(500, tickets // PER_CUSTOMER), "organizations": max(10, tickets // PER_ORGANIZATION)}


def fill(server, tickets):
    """Give the desk people and tickets."""
    many = sizes(tickets)
    server.psql(PEOPLE.format(**many) + TICKETS.format(**many))
