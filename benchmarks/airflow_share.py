"""How much of a replay is Airflow's own: the same DAG shapes with empty tasks beside the real ones.

`make bench-airflow` runs it.
Both run in this order on the same machine, each on a stack of its own: six months, from the first task to the last.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, text

from five_precisions.register import load_register, save_register
from five_precisions.settings import Settings
from five_precisions.warehouse import migrate
from five_precisions_demo.city import write_inbox
from five_precisions_demo.stack import Interruption, Site, Stack, forget_foreign_environment

MONTHS = 6
COUNT_ENDED = text(
    "select count(*) from dag_run "
    "where state in ('success', 'failed') and dag_id in ('monthly_assessment', 'empty_assessment')"
)
READ_SPAN = text(
    "select extract(epoch from max(end_date) - min(start_date)) from dag_run "
    "where dag_id in ('monthly_collection', 'monthly_assessment', 'empty_collection', 'empty_assessment')"
)


def main() -> None:
    """Print the seconds of both, and the share."""
    forget_foreign_environment()
    interruption = Interruption().listen()
    with tempfile.TemporaryDirectory(prefix="five-precisions-bench-") as folder:
        Path(folder).chmod(0o755)
        empty_dags = Path(__file__).parent / "empty_dags"
        empty = _replay(Stack(Site(var=Path(folder) / "empty", dags=empty_dags), interruption), lambda _: None)
        real = _replay(Stack(Site(var=Path(folder) / "real"), interruption), lambda var: write_inbox(var / "inbox"))
    table = Table("six months under a real scheduler", "seconds", box=None)
    table.add_row("empty tasks of the same shapes", f"{empty:.0f}")
    table.add_row("the real ones, without the bulletins' approval", f"{real:.0f}")
    table.add_row("Airflow's own share", f"{100 * empty / real:.0f} %")
    Console().print(table)


def _replay(stack: Stack, prepare: Callable[[Path], object]) -> float:
    with stack.supervised(patience=5):
        prepare(stack.site.var)
        url = stack.start_servers()
        engine = create_engine(url)
        migrate(engine)
        with engine.begin() as connection:
            save_register(connection, load_register(Settings(_env_file=None).register_folder))
        engine.dispose()
        stack.start_migration()
        stack.finish("migrate")
        stack.start_components()
        stack.wait_until_ready()
        airflow = create_engine(url.set(database="airflow"))
        while True:
            with airflow.connect() as connection:
                if connection.execute(COUNT_ENDED).scalar_one() == MONTHS:
                    seconds = float(connection.execute(READ_SPAN).scalar_one())
                    break
            stack.pause(1)
        airflow.dispose()
    return seconds


if __name__ == "__main__":
    main()
