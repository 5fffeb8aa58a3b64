"""What every command of Alembic runs: connect, tell what to compare, migrate."""
from alembic import context
from sqlalchemy import engine_from_config
from sqlalchemy.pool import NullPool

from desk_filter import DeskFilter
from models import Base

# The models name the schema of the desk, so it must not be first in the search_path, whatever the role's own one is. For
# models that name none, it must: SEARCH_PATH = "support"
SEARCH_PATH = "public"

engine = engine_from_config(
    context.config.get_section(context.config.config_ini_section),
    future=True,
    poolclass=NullPool,
    connect_args={"options": f"-c search_path={SEARCH_PATH}"},
)

with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=True,
        # The line for the desk
        **DeskFilter(connection).options(),
    )
    with context.begin_transaction():
        context.run_migrations()
