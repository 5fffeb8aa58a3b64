EXTENSION = support_ext
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" support_ext.control)
MODULE_big = support_ext
PGFILEDESC = "support_ext - a customer-support desk in the database"

# ground floor first: a room includes and calls only those before it; see src/README.md
ROOMS = base log proof stats calendar sla access desk past report dashboard privacy

SOURCES = $(wildcard $(addsuffix /*.c, $(addprefix src/, $(ROOMS)))) $(wildcard src/*.c)
OBJS = $(SOURCES:.c=.o) $(WIN32RES)

# member functions, in the order that the extension script creates them
FUNCTION_SQL = $(addprefix sql/, \
	schema.sql version.sql actor.sql access.sql settings.sql people.sql calendar.sql sla.sql ticket.sql comment.sql tag.sql recycle.sql privacy.sql history.sql past.sql undo.sql \
	feed.sql proof.sql histogram.sql chart.sql stats.sql stat_check.sql report.sql dashboard.sql maintain.sql trigger.sql install.sql)

# the desk's tables and views, in the order that support.install() makes them
DESK_SQL = $(addprefix sql/desk/, \
	settings.sql access.sql people.sql workflow.sql calendars.sql tickets.sql comments.sql search.sql tags.sql audit.sql sla.sql backlog.sql stats.sql expected.sql history_flaws.sql feed.sql \
	proof.sql holds.sql defaults_and_triggers.sql views.sql requests.sql sla_views.sql reports.sql reports_time.sql reports_groups.sql report_rows.sql history.sql past.sql \
	undo.sql replies.sql privacy.sql)

# what brings older desks to this layout
MIGRATION_SQL = $(wildcard sql/desk/migrations/*.sql)

# the extension's script, and the updates from older versions; scripts of released versions stay as they were
EXTENSION_SQL = sql/$(EXTENSION)--$(EXTVERSION).sql
UPDATE_SQL = $(patsubst %, sql/$(EXTENSION)--%--$(EXTVERSION).sql, $(shell sh sql/compose from))
DATA_built = $(EXTENSION_SQL) $(UPDATE_SQL)
DATA = $(wildcard sql/released/$(EXTENSION)--*.sql)
DOCS = $(wildcard doc/*.md)

REGRESS = $(patsubst sql_tests/sql/%.sql,%,$(sort $(wildcard sql_tests/sql/*.sql)))
# pg_regress looks for tests below its output folder first, where sql/ would be the extension's own
REGRESS_OPTS = --inputdir=sql_tests --outputdir=output_sql --load-extension=$(EXTENSION)
ISOLATION = $(patsubst sql_tests/specs/%.spec,%,$(sort $(wildcard sql_tests/specs/*.spec)))
ISOLATION_OPTS = --inputdir=sql_tests --load-extension=$(EXTENSION)
# what they expect lies in expected/; the testers of 15 and 16 know no option for that and look below their output folders
REGRESS_PREP = output_sql/expected output_iso/expected

PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers
PG_CPPFLAGS = -Isrc -DSUPPORT_EXT_VERSION='"$(EXTVERSION)"'
# what the server calls; all other names are ours alone, so that no other library's can take their place
SHLIB_EXPORTS = src/exports.txt
# nor of these
ifeq ($(shell uname -s), Linux)
SHLIB_LINK = -Wl,-Bsymbolic
endif

EXTRA_CLEAN = $(EXTENSION_SQL) $(UPDATE_SQL) output_sql

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

output_sql/expected output_iso/expected:
	mkdir -p $(@D) && ln -sfn ../expected $@

# a header is small, and what it says matters to many
$(OBJS) $(OBJS:.o=.bc): $(wildcard src/*.h src/*/*.h)

# The desk's statements travel inside a function, which support.install() reads.
COMPOSE = VERSION='$(EXTVERSION)' FUNCTIONS='$(FUNCTION_SQL)' DESK='$(DESK_SQL)' MIGRATIONS='$(MIGRATION_SQL)' sh sql/compose

$(EXTENSION_SQL) $(UPDATE_SQL): $(FUNCTION_SQL) $(DESK_SQL) $(MIGRATION_SQL) $(wildcard sql/updates/*.sql) \
	src/base/layout.h sql/compose support_ext.control Makefile

$(EXTENSION_SQL):
	$(COMPOSE) create > $@.new && mv $@.new $@

$(UPDATE_SQL): sql/$(EXTENSION)--%--$(EXTVERSION).sql:
	$(COMPOSE) update $* > $@.new && mv $@.new $@
