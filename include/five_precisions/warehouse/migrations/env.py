"""Alembic's environment: runs on the connection that `migrate` hands over."""

from alembic import context
from sqlalchemy import Connection


def _run(connection: Connection) -> None:
    options = context.config.attributes.get("options", {})
    context.configure(connection=connection, transaction_per_migration=False, **options)
    with context.begin_transaction():
        context.run_migrations()


_run(context.config.attributes["connection"])
