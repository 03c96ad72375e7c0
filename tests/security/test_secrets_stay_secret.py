"""Nothing that is told to anybody shows a secret: settings, the register, the warehouse.

See docs/reports.md; docs/outputs.md.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from five_precisions.errors import SetupError, UnreachableError
from five_precisions.register import load_register
from five_precisions.settings import DEMO_REGISTER, Settings
from five_precisions.warehouse import open_warehouse

SESAME = "open-sesame-and-long-enough-for-a-key"
TOLD = {"environment", "register_folder", "reference", "var"}
"""Settings of free text that are no secret, and bear none."""


def test_settings_show_no_text_that_may_hold_a_secret() -> None:
    free = {name for name, field in Settings.model_fields.items() if "str" in str(field.annotation).lower()} - TOLD
    assert {"pii_key", "archive_key", "mail", "warehouse", "inbox", "inbox_options"} <= free
    settings = Settings.model_validate(dict.fromkeys(free, SESAME))
    assert {str(getattr(settings, name)) for name in free} <= {SESAME, "**********"}
    assert SESAME not in repr(settings) + str(settings)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (f"B01,dingtalk://{SESAME},contact\nB01,dingtalk://{SESAME},contact\n", "the contact B01 dingtalk://… contact"),
        (f"B01,b01@example.test,contact,dingtalk://{SESAME}\n", "fallback_address is 'dingtalk://…'"),
        (f"B01,nonesuch://{SESAME},contact\n", "address is 'nonesuch://…'; Apprise knows no such service"),
        (f"B01,dingtalk:/{SESAME},contact\n", "address is 'dingtalk…'; it is an email address"),
        (f"B01,{SESAME},contact\n", f"address is '{SESAME[:24]}…'; it is an email address"),
        (f"dingtalk://{SESAME},B01,contact\n", "the contact belongs to 'dingtalk://…'"),
        (f"B01,contact,dingtalk://{SESAME}\n", "role is 'dingtalk://…'"),
        (f"B01,tgram://{SESAME}/{SESAME},contact\n", "something of what tgram:// needs is missing or wrong"),
    ],
)
def test_a_wrong_register_is_told_without_its_tokens(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, lines: str, words: str
) -> None:
    caplog.set_level(0)
    folder = tmp_path / "register"
    shutil.copytree(DEMO_REGISTER, folder)
    (folder / "contacts.csv").write_text(f"institution_code,address,role,fallback_address\n{lines}", encoding="utf-8")
    with pytest.raises(SetupError) as error:
        load_register(folder)
    assert words in str(error.value)
    assert SESAME not in str(error.value) + caplog.text


def test_two_robots_of_one_institution_are_two_contacts(tmp_path: Path) -> None:
    folder = tmp_path / "register"
    shutil.copytree(DEMO_REGISTER, folder)
    lines = "B01,dingtalk://one,contact\nB01,dingtalk://two,contact\n"
    (folder / "contacts.csv").write_text(f"institution_code,address,role\n{lines}", encoding="utf-8")
    assert len(load_register(folder).contacts) == 2


def test_a_warehouse_that_does_not_answer_is_named_without_its_password(settings: Settings) -> None:
    closed = settings.model_copy(update={"warehouse": f"postgresql+psycopg://clerk:{SESAME}@127.0.0.1:1/reports"})
    with pytest.raises(UnreachableError, match="clerk:") as error, open_warehouse(closed):
        pass
    assert SESAME not in str(error.value)


def test_a_failed_statement_is_told_without_its_values(register_saved_engine: Engine, settings: Settings) -> None:
    statement = text("insert into registry.contact (institution_code, address, role) values ('gone', :address, 'x')")
    with open_warehouse(settings) as engine, engine.connect() as connection, pytest.raises(SQLAlchemyError) as error:
        connection.execute(statement, {"address": f"dingtalk://{SESAME}"})
    assert SESAME not in str(error.value).partition("[SQL")[2]
