"""Contracts and invoices: a column and an index on the desk's tickets, and a table that refers to them."""
from alembic import op
import sqlalchemy as sa

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "invoices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=10, scale=2), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["support.tickets.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_invoices_ticket_id"), "invoices", ["ticket_id"])
    op.add_column(
        "tickets",
        sa.Column("contract", sa.String(length=20), server_default="basic", nullable=False),
        schema="support",
    )
    op.create_index(op.f("ix_tickets_contract"), "tickets", ["contract"], schema="support")
    # Autogenerate knows nothing of rights. A new column of the desk's tables needs none
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON invoices TO app")


def downgrade():
    op.drop_index(op.f("ix_tickets_contract"), table_name="tickets", schema="support")
    op.drop_column("tickets", "contract", schema="support")
    op.drop_table("invoices")
