"""The views of what stands of each report, core.<report>, for the migrations that change a report's table."""

from __future__ import annotations

from sqlalchemy import Connection, text


def drop_view(connection: Connection, report: str) -> None:
    """Take away the view of what stands of a report, if there is one."""
    connection.exec_driver_sql(f"drop view if exists core.{report}")


def make_view(connection: Connection, report: str) -> None:
    """Make the view of what stands of a report, with the columns and comments of its table."""
    connection.exec_driver_sql(
        f"create view core.{report} as select delivered.* from core.delivered_{report} as delivered "
        "inner join intake.standing_report as standing on delivered.period = standing.period "
        f"and delivered.submission_id = standing.submission_id and standing.report = '{report}'"
    )
    connection.exec_driver_sql(
        f"comment on view core.{report} is 'rows of the newest accepted version of each institution and period'"
    )
    for column, comment in columns_of(connection, f"core.delivered_{report}").items():
        connection.exec_driver_sql(comment_on(f"core.{report}.{column}", comment))


def columns_of(connection: Connection, table: str) -> dict[str, str]:
    """The columns of a table in their order, with their comments; none where there is no such table."""
    found = connection.execute(
        text(
            "select attname, coalesce(col_description(attrelid, attnum), '') from pg_attribute "
            "where attrelid = to_regclass(:table) and attnum > 0 and not attisdropped order by attnum"
        ),
        {"table": table},
    )
    return {str(name): str(comment) for name, comment in found}


def comment_on(column: str, comment: str) -> str:
    """The statement that says what a column holds, for a driver that reads % as the place of a value."""
    quoted = comment.replace("'", "''").replace("%", "%%")
    return f"comment on column {column} is '{quoted}'"
