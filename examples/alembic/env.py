"""What every command of Alembic runs: connect, tell what to compare, migrate."""
from alembic import context
from sqlalchemy import engine_from_config
from sqlalchemy.pool import NullPool

from desk_filter import include_name, include_object, leave_comments
from models import Base

engine = engine_from_config(
    context.config.get_section(context.config.config_ini_section),
    future=True,
    poolclass=NullPool,
    # The models name the schema of the desk, so it must not be on the search_path, whatever the role's own one is
    connect_args={"options": "-c search_path=public"},
)

with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=True,
        # The four lines for the desk
        include_schemas=True,
        include_name=include_name,
        include_object=include_object,
        process_revision_directives=leave_comments,
    )
    with context.begin_transaction():
        context.run_migrations()
