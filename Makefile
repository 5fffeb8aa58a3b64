EXTENSION = support_ext
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" support_ext.control)
MODULE_big = support_ext
PGFILEDESC = "support_ext - a customer-support desk in the database"

# ground floor first: a file calls only those before it
OBJS = \
	src/errors.o \
	src/attempt.o \
	src/parts.o \
	src/keeping.o \
	src/row.o \
	src/owner.o \
	src/analysis.o \
	src/plan.o \
	src/own_relation.o \
	src/actor.o \
	src/settings.o \
	src/image.o \
	src/direct.o \
	src/histogram.o \
	src/stat_expand.o \
	src/stat_deltas.o \
	src/cells.o \
	src/counters.o \
	src/fold.o \
	src/stat_seen.o \
	src/stat_reading.o \
	src/stat_reader.o \
	src/log_writer.o \
	src/audit.o \
	src/rules.o \
	src/delta_writer.o \
	src/stat_history.o \
	src/stat_tag.o \
	src/stat_writer.o \
	src/stat_check.o \
	src/workflow.o \
	src/opening_hours.o \
	src/working_time.o \
	src/calendar.o \
	src/calendar_check.o \
	src/calendar_version.o \
	src/sla_names.o \
	src/sla_given.o \
	src/sla_condition.o \
	src/sla_policy.o \
	src/sla_clock.o \
	src/sla_path.o \
	src/sla_course.o \
	src/sla_store.o \
	src/sla_outcome.o \
	src/sla_live.o \
	src/sla_reapply.o \
	src/sla_check.o \
	src/ticket_access.o \
	src/reply.o \
	src/search.o \
	src/trigger.o \
	src/log_guard.o \
	src/people.o \
	src/calendar_edit.o \
	src/sla_edit.o \
	src/sla_tick.o \
	src/sla_at_risk.o \
	src/sla_explain.o \
	src/tag.o \
	src/ticket.o \
	src/answer.o \
	src/ticket_read.o \
	src/comment.o \
	src/attachment.o \
	src/digest.o \
	src/merkle.o \
	src/eras.o \
	src/chain.o \
	src/leaves.o \
	src/recycle.o \
	src/history.o \
	src/chart.o \
	src/figures.o \
	src/screen.o \
	src/dashboard.o \
	src/html.o \
	src/svg.o \
	src/dashboard_style.o \
	src/dashboard_html.o \
	src/generated.o \
	src/records.o \
	src/sla_simulate.o \
	src/past.o \
	src/as_of.o \
	src/subject.o \
	src/inverse.o \
	src/undo_order.o \
	src/undo.o \
	src/log_reader.o \
	src/inserted.o \
	src/feed.o \
	src/seal.o \
	src/verify.o \
	src/proof.o \
	src/ground.o \
	src/keep.o \
	src/bounds.o \
	src/report_lookup.o \
	src/report_request.o \
	src/report_rows.o \
	src/report.o \
	src/mend.o \
	src/install.o \
	src/support_ext.o \
	$(WIN32RES)

# member functions, in the order that the extension script creates them
FUNCTION_SQL = $(addprefix sql/, \
	schema.sql actor.sql settings.sql people.sql calendar.sql sla.sql ticket.sql comment.sql tag.sql recycle.sql history.sql past.sql undo.sql \
	feed.sql proof.sql histogram.sql chart.sql stats.sql stat_check.sql report.sql dashboard.sql keep.sql trigger.sql install.sql)

# the desk's tables and views, in the order that support.install() makes them
DESK_SQL = $(addprefix sql/desk/, \
	settings.sql people.sql workflow.sql calendars.sql tickets.sql comments.sql tags.sql audit.sql sla.sql stats.sql expected.sql feed.sql \
	proof.sql attach.sql views.sql sla_views.sql reports.sql reports_time.sql reports_groups.sql past.sql)

EXTENSION_SQL = sql/$(EXTENSION)--$(EXTVERSION).sql
DATA_built = $(EXTENSION_SQL)
DATA = $(wildcard sql/$(EXTENSION)--*--*.sql)
DOCS = $(wildcard doc/*.md)

REGRESS = $(patsubst sql_tests/sql/%.sql,%,$(sort $(wildcard sql_tests/sql/*.sql)))
# pg_regress looks for tests below its output folder first, where sql/ would be the extension's own
REGRESS_OPTS = --inputdir=sql_tests --outputdir=output_sql --load-extension=$(EXTENSION)
ISOLATION = $(patsubst sql_tests/specs/%.spec,%,$(sort $(wildcard sql_tests/specs/*.spec)))
ISOLATION_OPTS = --inputdir=sql_tests --load-extension=$(EXTENSION)

PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers
PG_CPPFLAGS = -DSUPPORT_EXT_VERSION='"$(EXTVERSION)"'
# what the server calls; all other names are ours alone, so that no other library's can take their place
SHLIB_EXPORTS = src/exports.txt
# nor of these
ifeq ($(shell uname -s), Linux)
SHLIB_LINK = -Wl,-Bsymbolic
endif

EXTRA_CLEAN = $(EXTENSION_SQL) output_sql

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# a header is small, and what it says matters to many
$(OBJS) $(OBJS:.o=.bc): $(wildcard src/*.h)

# The desk's statements travel inside a function, which support.install() reads.
$(EXTENSION_SQL): $(FUNCTION_SQL) $(DESK_SQL) Makefile
	{ cat $(FUNCTION_SQL) && \
	  printf '\nCREATE FUNCTION support_internal.desk_layout()\nRETURNS text\nLANGUAGE sql IMMUTABLE PARALLEL SAFE\nSET search_path = pg_catalog, pg_temp\nAS $$function$$ SELECT $$layout$$\n' && \
	  cat $(DESK_SQL) && \
	  printf '$$layout$$::pg_catalog.text $$function$$;\n' && \
	  printf "COMMENT ON FUNCTION support_internal.desk_layout() IS 'The statements that make the desk, as support.install() runs them.';\n" && \
	  printf 'REVOKE ALL ON FUNCTION support_internal.desk_layout() FROM PUBLIC;\n\nSELECT support.install(true);\n'; } > $@
