"""The server knows how large the tables of a run are, so that its plans fit a large area too (figures/inputs.py)."""

from __future__ import annotations

from sqlalchemy import Engine, text

from five_precisions.figures.assess import make_run, take_inputs
from five_precisions.settings import Settings
from tests.figures.conftest import JANUARY
from tests.figures.small_city import SmallCity

_TABLES_OF_THE_RUN = text(
    "select relname, cast(reltuples as integer) as counted from pg_class "
    "where relnamespace = pg_my_temp_schema() and relkind = 'r'"
)


def test_every_table_of_a_run_is_counted_as_it_is_filled(engine: Engine, settings: Settings) -> None:
    with engine.begin() as connection:
        city = SmallCity(connection)
        city.open(JANUARY)
        funds, household, project = {"arrived_amount": 100}, {"household_no": "H1"}, {"project_no": "P1"}
        city.deliver(JANUARY, "C01", guarantee_funds=[funds], households=[household], projects=[project])
        loan = {"contract_no": "L1", "household_no": "H1", "balance": 60000}
        city.deliver(JANUARY, "B01", loans=[loan], position=[{}], visits=[household], matches=[project])
        city.close(JANUARY)
        make_run(connection, take_inputs(connection, settings, JANUARY), revision=1, report_step=lambda _: None)
        counted = {row.relname: row.counted for row in connection.execute(_TABLES_OF_THE_RUN)}
        held = {name: connection.execute(text(f"select count(*) from {name}")).scalar_one() for name in counted}
    assert counted == held
    filled = ("loans", "run_version", "reported_subject", "visited_household", "borrowing_household", "raised")
    assert {name: held[name] for name in filled if not held[name]} == {}
