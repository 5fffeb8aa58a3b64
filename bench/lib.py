"""
What the benchmarks share: a server, a desk and its rivals, measuring in rounds, and printing ratios.

A machine's speed drifts, and other programs come and go, so nothing is compared across time. A round measures every
variant once, briefly, in an order that changes from round to round. Two variants are compared within their round. What
is printed is the median of these ratios and their quartiles, which tell how far to trust it. Single transactions are
compared in slices, each with the slice of the same number, which had the same random numbers.

Each variant has a session of its own: in one session the processor's caches would favour what the variants share.
"""
import argparse
import contextlib
import copy
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

# Transactions at the start of a session, which loads what it keeps: not counted.
WARM_UP = 100

# Transactions that are compared at a time: few enough that most slices pass before another program takes the processor.
SLICE = 20

OPTIONS = {
    "rounds": "how often each variant is measured",
    "rows": "how many rows or calls are measured at a time",
    "tickets": "how many tickets there are",
    "bulk_rounds": "how often each statement that changes many tickets is measured",
    "many": "how many tickets such a statement changes",
    "small": "how many tickets the smaller desk has",
    "checked": "the most tickets of a desk whose reports are compared with its tables",
}

PEOPLE = """
    INSERT INTO support.users (email, full_name) SELECT 'c' || n || '@example.com', 'Customer ' || n
    FROM generate_series(1, 500) AS n;
    INSERT INTO support.users (email, full_name, role) SELECT 'a' || n || '@example.com', 'Agent ' || n, 'agent'
    FROM generate_series(1, 20) AS n;
"""
CUSTOMERS = "1, 500"
AGENTS = "501, 520"
AGENT = 501  # who acts

# The rivals have the columns, checks, keys and indexes of the desk's table, and foreign keys to them as it has. All but
# one have the desk's BEFORE trigger too; `unaudited` is no more than that: the desk without the log. `bare` has nothing
# of ours: it is what one would write without the desk.
VARIANTS = ("support", "unaudited", "bare")

RIVALS = r"""
    CREATE FUNCTION pg_temp.tickets_of(rival text) RETURNS text LANGUAGE sql AS $$
        SELECT CASE rival WHEN 'bare' THEN 'bare.tickets' ELSE format('support.%I', rival || '_tickets') END $$;
    SELECT format('CREATE SCHEMA %I; CREATE TABLE %s (LIKE support.tickets INCLUDING ALL)', rival, pg_temp.tickets_of(rival))
    FROM unnest(ARRAY[{rivals}]) AS rival
    \gexec
    CREATE SEQUENCE bare.ticket_number_seq;
    ALTER TABLE bare.tickets
        ALTER COLUMN ticket_number SET DEFAULT 'T-' || nextval('bare.ticket_number_seq')::text,
        ALTER COLUMN status SET DEFAULT 'open',
        ALTER COLUMN created_at SET DEFAULT now(),
        ALTER COLUMN updated_at SET DEFAULT now();

    SELECT format('INSERT INTO %s SELECT * FROM support.tickets', pg_temp.tickets_of(rival))
    FROM unnest(ARRAY[{rivals}]) AS rival
    \gexec
    SELECT setval(pg_get_serial_sequence(pg_temp.tickets_of(rival), 'id'), nextval(pg_get_serial_sequence('support.tickets', 'id')))
    FROM unnest(ARRAY[{rivals}]) AS rival;
    SELECT setval('bare.ticket_number_seq', nextval('support.ticket_number_seq'));

    SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', pg_temp.tickets_of(rival), conname, pg_get_constraintdef(oid))
    FROM pg_constraint, unnest(ARRAY[{rivals}]) AS rival
    WHERE conrelid = 'support.tickets'::regclass AND contype = 'f'
    \gexec
    SELECT format('CREATE TABLE %1$I.%2$I (LIKE support.%2$I INCLUDING INDEXES); ALTER TABLE %1$I.%2$I ADD %3$s', rival, relname,
        replace(pg_get_constraintdef(f.oid), 'support.tickets', pg_temp.tickets_of(rival)))
    FROM pg_constraint AS f JOIN pg_class AS t ON t.oid = conrelid, unnest(ARRAY[{rivals}]) AS rival
    WHERE confrelid = 'support.tickets'::regclass AND contype = 'f'
    \gexec
    SELECT format('CREATE TRIGGER support_before BEFORE INSERT OR UPDATE ON %s '
        'FOR EACH ROW EXECUTE FUNCTION support_internal.before_row(''tickets'')', pg_temp.tickets_of(rival))
    FROM unnest(ARRAY[{rivals}]) AS rival WHERE rival <> 'bare'
    \gexec

    -- rows that arrived in different ways are to lie alike
    REINDEX TABLE support.tickets;
    SELECT format('REINDEX TABLE %s', pg_temp.tickets_of(rival)) FROM unnest(ARRAY[{rivals}]) AS rival
    \gexec
    VACUUM ANALYZE;
    CHECKPOINT;
"""

# Each ticket gets three tags, ten comments and an attachment.
CONVERSATIONS = """
    INSERT INTO support.tags (name) SELECT 'tag ' || n FROM generate_series(1, 50) AS n;
    INSERT INTO support.ticket_tags (ticket_id, tag_id)
    SELECT t.id, 1 + (t.id * 7 + n) % 50 FROM support.tickets AS t, generate_series(1, 3) AS n;
    INSERT INTO support.comments (ticket_id, author_id, content)
    SELECT t.id, CASE WHEN n % 2 = 0 THEN t.creator_id ELSE 501 + t.id % 20 END,
        'Comment ' || n || ': we tried another cable and the same page comes out of it. ' || md5(n::text)
    FROM support.tickets AS t, generate_series(1, 10) AS n ORDER BY n, t.id;
    INSERT INTO support.attachments (ticket_id, filename, content_type, byte_size, uploaded_by)
    SELECT t.id, 'page.png', 'image/png', 20000, t.creator_id FROM support.tickets AS t;
    VACUUM ANALYZE;
    CHECKPOINT;
"""

# An UPDATE of the bare table keeps by itself what the desk's trigger keeps.
BOOKS = {"support": "", "unaudited": "", "bare": ", version = version + 1, updated_at = now()"}


def tickets_of(variant):
    """The table of tickets of a variant: one with the desk's trigger lies beside the desk's own, or the trigger refuses."""
    if variant == "support":
        return "support.tickets"
    return "bare.tickets" if variant == "bare" else f"support.{variant}_tickets"


def make_rivals(server, rivals=VARIANTS[1:]):
    """Give the desk rivals that hold the same tickets; `bare` must be among them."""
    server.psql(RIVALS.format(rivals=", ".join(f"'{rival}'" for rival in rivals)))


def tickets_query(count):
    """Made-up tickets, one a minute; every twentieth is open."""
    return f"""
        SELECT 'Printer on floor ' || n || ' is broken' AS title,
            'Since this morning the printer says error ' || n * 7919::bigint % 1000
                || ' and prints nothing but empty pages; please help soon. ' || md5(n::text) AS description,
            1 + n % 500 AS creator_id,
            '2026-01-01 00:00+00'::timestamptz + n * interval '1 minute' AS created_at,
            CASE WHEN n % 20 = 0 THEN 'open' ELSE 'closed' END AS status,
            501 + n % 20 AS assignee_id
        FROM generate_series(1, {count}) AS n"""


class Server:
    """A running server and the database in it to work in."""

    def __init__(self, host, port):
        self.connection = [f"--host={host}", f"--port={port}"]
        self.database = "postgres"
        self.actor = AGENT

    @classmethod
    def like(cls, server, database):
        """Another database of the same server."""
        other = copy.copy(server)
        other.database = database
        return other

    def as_role(self, role, actor):
        """The same database, for somebody else who logs in, and says that this user acts, or nothing."""
        other = copy.copy(self)
        other.connection = [*self.connection, f"--username={role}"]
        other.actor = actor
        return other

    def copy_database(self, name):
        """Make a database that is like this one, to which nobody may be connected."""
        self.like(self, "postgres").psql(f"CREATE DATABASE {name} TEMPLATE {self.database}")

    def psql(self, script):
        """Run statements and return what they print."""
        return run(["psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1",
                    *self.connection, f"--dbname={self.database}"], self.actor, script).strip()

    def number(self, query):
        return int(self.psql(query))

    def seconds(self, statement, before="", after=""):
        """How long one statement takes, by psql's own clock; what runs before and after it is not counted."""
        printed = self.psql(f"{before};\n\\timing on\n{statement}\n\\timing off\n{after};\n")
        return float(printed.rpartition("Time: ")[2].split()[0]) / 1000

    def latencies(self, script, transactions, seed, **variables):
        """Microseconds that each transaction takes, sent by one client as prepared statements."""
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory, "script")
            file.write_text(script)
            run(["pgbench", "--no-vacuum", "--protocol=prepared", f"--transactions={WARM_UP + transactions}",
                 f"--random-seed={seed}", f"--file={file}", "--log", f"--log-prefix={directory}/log",
                 *(f"--define={name}={value}" for name, value in variables.items()), *self.connection, self.database],
                self.actor)
            [log] = pathlib.Path(directory).glob("log.*")
            # the clock of a busy virtual machine may stand still meanwhile
            return [max(int(line.split()[2]), 1) for line in log.read_text().splitlines()][WARM_UP:]

    def pgbench(self, script, transactions, seed, **variables):
        """Seconds that a transaction takes on average, slice by slice, sent by one client as prepared statements."""
        microseconds = self.latencies(script, transactions, seed, **variables)
        slices = [microseconds[start:start + SLICE] for start in range(0, transactions, SLICE)]
        return [statistics.fmean(part) / 1e6 for part in slices]


def run(command, actor, script=None):
    """Run a program and return its output. In its sessions this user acts, as in an application's."""
    environment = {**os.environ, "PGOPTIONS": f"-c support_ext.actor_id={actor}"}
    done = subprocess.run(command, input=script, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stderr}")
    return done.stdout


def count(text):
    """The value of an option: a number of things, one at least."""
    if int(text) < 1:
        raise ValueError
    return int(text)


def arguments(description, before=False, **defaults):
    """Read the command line. Unless it names a server, start over on a private one. Is there a source to compare with?"""
    parser = argparse.ArgumentParser(description=description)
    for name, value in defaults.items():
        parser.add_argument("--" + name.replace("_", "-"), type=count, default=value, help=f"{OPTIONS[name]}, {value} unless given")
    parser.add_argument("--tcp", action="store_true", help="measure over TCP, 127.0.0.1, instead of a unix socket")
    parser.add_argument("--host", help="measure on a running server that has the extension, in a database made for it")
    parser.add_argument("--port", type=int, default=5432, help="the port of that server")
    if before:
        parser.add_argument("--before", required=True, metavar="DIR", help="a checkout of the source as it was before")
        parser.add_argument("--before-host", help="a running server that has the extension as it was before")
    options = parser.parse_args()
    if options.host is None:
        program = pathlib.Path(sys.argv[0]).resolve()
        os.execv(program.with_name("server"), ["server", program.name, *sys.argv[1:]])
    return options


def print_surroundings(server, options):
    """Say what the figures depend on."""
    settings = server.psql("""
        SELECT string_agg(name || ' ' || current_setting(name), ', ' ORDER BY name) FROM pg_settings
        WHERE name IN ('autovacuum', 'fsync', 'full_page_writes', 'shared_buffers', 'synchronous_commit', 'wal_level')""")
    road = "a unix socket" if options.host.startswith("/") else f"TCP, {options.host}"
    sizes = ", ".join(f"{name} {getattr(options, name)}" for name in OPTIONS if hasattr(options, name))
    print(f"PostgreSQL {server.psql('SHOW server_version')} over {road}, {os.cpu_count()} processors, load {load()}")
    print(settings)
    print(f"{sizes}\n", flush=True)


def load():
    return f"{os.getloadavg()[0]:.2f}"


@contextlib.contextmanager
def desk_on(name, host, port):
    """A desk with people in a new database of a server, which goes in the end."""
    server = Server(host, port)
    server.psql(f"DROP DATABASE IF EXISTS {name}")
    server.psql(f"CREATE DATABASE {name}")
    try:
        server.database = name
        server.psql("CREATE EXTENSION support_ext")
        server.psql(PEOPLE)
        yield server
    finally:
        server.database = "postgres"
        server.psql(f"DROP DATABASE {name}")


@contextlib.contextmanager
def desk(name, options):
    """The same on the server that is measured, with a word on the surroundings."""
    start = time.monotonic()
    print_surroundings(Server(options.host, options.port), options)
    with desk_on(name, options.host, options.port) as server:
        yield server
    print(f"\n{time.monotonic() - start:.0f} s, load {load()}")


@contextlib.contextmanager
def second_desk(server):
    """Another desk with people on the same server, which goes in the end."""
    other = Server.like(server, server.database + "_small")
    server.psql(f"DROP DATABASE IF EXISTS {other.database}")
    server.psql(f"CREATE DATABASE {other.database}")
    try:
        other.psql("CREATE EXTENSION support_ext")
        other.psql(PEOPLE)
        yield other
    finally:
        server.psql(f"DROP DATABASE {other.database}")


def fill(server, tickets, columns="title, description, creator_id, created_at, status"):
    """Give the desk tickets, of which the columns are known."""
    server.psql(f"INSERT INTO support.tickets ({columns}) SELECT {columns} FROM ({tickets_query(tickets)}) AS t")


def fill_with_comments(server, tickets):
    """Give the desk tickets that people talk about. All are open: a closed one takes no comment."""
    fill(server, tickets, "title, description, creator_id, created_at, assignee_id")
    server.psql(CONVERSATIONS)


def in_turn(names, number):
    """The names in an order for this round: each comes first, and before each other, as often as after it."""
    turn = number // 2 % len(names)
    turned = names[turn:] + names[:turn]
    return turned[::-1] if number % 2 else turned


def measure(variants, rounds):
    """Call each variant's function once a round, with the round's number. Returns what they returned, by variant."""
    results = {name: [] for name in variants}
    for number in range(rounds):
        for name in in_turn(list(variants), number):
            results[name].append(variants[name](number))
    return results


def measure_scripts(server, scripts, options):
    """Have pgbench run each variant's script once a round, all with the same random numbers."""

    def sender(script):
        return lambda number: server.pgbench(script, options.rows, seed=number + 1)

    return flat(measure({name: sender(script) for name, script in scripts.items()}, options.rounds))


def flat(results):
    """The slices of all rounds in a row."""
    return {name: [seconds for slices in rounds for seconds in slices] for name, rounds in results.items()}


def quartiles(values):
    """First quartile, median and third."""
    return statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3


def print_ratios(seconds, what, ratio, goals):
    """Print how the first variant compares with each of the others, round by round."""
    ours, *others = seconds
    for theirs in others:
        first, median, third = quartiles([ratio(a, b) for a, b in zip(seconds[ours], seconds[theirs])])
        goal = f", goal {goals[theirs]}" if theirs in goals else ""
        print(f"  {ours + ' / ' + theirs:27} {median:8.3f} of the {what}, quartiles {first:.3f} and {third:.3f}{goal}")
    sys.stdout.flush()


def speed_ratio(ours, theirs):
    """How many times as fast: the inverse ratio of the seconds."""
    return theirs / ours


def print_throughput(title, seconds, goals={}, amount=1, unit="a second"):
    """Compare speeds: more is better. The seconds are those that an amount of work took."""
    print(title)
    for name, values in seconds.items():
        print(f"  {name:24} {amount / statistics.median(values):8.0f} {unit}")
    print_ratios(seconds, "throughput", speed_ratio, goals)


def print_time(title, seconds, goals={}):
    """Compare times: less is better."""
    print(title)
    for name, values in seconds.items():
        print(f"  {name:24} {statistics.median(values):8.2f} s")
    print_ratios(seconds, "time", lambda ours, theirs: ours / theirs, goals)
