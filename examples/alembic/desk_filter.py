"""
What Alembic's autogenerate compares in a database with a support desk. Copy this file, and see env.py for its use.

The extension makes the desk's tables and brings them forward, and models of them may say less than there is, or say it
otherwise. So on a table of the desk only what the models mark as the application's own counts:

    region = Column(String(20), index=True, info=OWN)

A mark on a column holds for the indexes and constraints that have the column; an index or a constraint on columns of
the desk may carry one itself. All other tables are compared as ever.

Models may name the desk's schema, over a connection whose search_path does not begin with it, or name none, over one
whose search_path does. To SQLAlchemy these are different tables: what is in the first schema of the search_path has no
schema's name.
"""
from alembic.autogenerate.rewriter import Rewriter
from alembic.operations import ops
from sqlalchemy import Column, text

DESK = "support"
MACHINERY = "support_internal"
OWN = {"own": True}

# The desk's tables call its triggers; the months of the log are partitions
TABLES = text("""
    SELECT c.relname
    FROM pg_class AS c
    WHERE c.relnamespace = to_regnamespace(:desk)
    AND (c.relispartition OR EXISTS (
        SELECT FROM pg_trigger AS t
        JOIN pg_proc AS p ON p.oid = t.tgfoid
        WHERE t.tgrelid = c.oid AND p.pronamespace = to_regnamespace(:machinery)))
""")


class DeskFilter:
    """The filter for the database of a connection; options() are for context.configure()."""

    def __init__(self, connection):
        # In a transaction that ends: Alembic commits only what it began
        with connection.begin():
            self.default_schema = connection.execute(text("SELECT current_schema()")).scalar()
            self.tables = set(connection.execute(TABLES, {"desk": DESK, "machinery": MACHINERY}).scalars())

    def options(self):
        return {
            # Other schemas than the first of the search_path: the desk's is one of them, or all there is to compare
            "include_schemas": self.default_schema != DESK,
            "include_name": self.include_name,
            "include_object": self.include_object,
            "process_revision_directives": self.leave_comments(),
        }

    def is_desk(self, name, schema):
        """Is this a table of the desk? Where its triggers are gone, each table of its schema is taken for one."""
        return (schema or self.default_schema) == DESK and (not self.tables or name in self.tables)

    def include_name(self, name, type_, parent_names):
        """Pass over the machinery; the partitions of the log lie there too."""
        return type_ != "schema" or name != MACHINERY

    def include_object(self, object, name, type_, reflected, compare_to):
        """Leave the desk's tables, and what is on them, to the desk."""
        table = object if type_ == "table" else object.table
        if not self.is_desk(table.name, table.schema):
            return True
        if type_ == "table":
            return not reflected
        # What is only in the database is the desk's; what also is in the models, under another shape, is theirs if marked
        return is_own(compare_to if reflected else object)

    def leave_comments(self):
        """Models without comments do not mean that the desk's tables should lose theirs."""
        rewriter = Rewriter()

        @rewriter.rewrites(ops.CreateTableCommentOp)
        @rewriter.rewrites(ops.DropTableCommentOp)
        def leave_comment(context, revision, operation):
            return [] if self.is_desk(operation.table_name, operation.schema) else operation

        return rewriter


def is_own(item):
    """Whether a column, an index or a constraint is marked, or has a column that is."""
    if item is None:
        return False
    columns = [] if isinstance(item, Column) else item.columns
    return any(each.info.get("own") for each in (item, *columns))
