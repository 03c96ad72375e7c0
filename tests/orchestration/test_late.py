"""The hourly task: skipped where nothing lies, red where a package is beyond us, and the others' receipts leave."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from five_precisions.collection import close
from five_precisions.delivery import Kind, Status
from five_precisions.intake.inbox import Inbox
from five_precisions.period import SHANGHAI
from five_precisions.settings import PREFIX, Settings
from tests.delivery.conftest import make_due, message, state
from tests.delivery.conftest import put as put_message
from tests.mail_server import Fault, MailServer
from tests.packages import JUNE, put, sound_package


def test_one_packages_trouble_turns_the_task_red_and_keeps_nobody_elses_receipt(
    register_saved_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

    from five_precisions.orchestration.late_submissions import collect_late_packages

    close(register_saved_engine, settings.model_copy(update={"first_period": JUNE}), JUNE)
    for code in ("B01", "B02"):
        folder = Path(settings.inbox_address) / str(JUNE) / code
        put(folder, sound_package("grid"), at=datetime.fromtimestamp(time.time() - 60, SHANGHAI))
    real = Inbox.read

    def read(inbox: Inbox, delivery: Any) -> Any:
        if delivery.institution_code == "B01":
            raise ZeroDivisionError
        return real(inbox, delivery)

    with MailServer(tmp_path / "mails") as server, monkeypatch.context() as broken:
        monkeypatch.setenv(PREFIX + "MAIL", server.url)
        broken.setattr(Inbox, "read", read)
        with pytest.raises(AirflowFailException, match="could not be judged: 2019-06 B01; the log says where"):
            collect_late_packages()
        answer, receipt = server.keys()
        assert answer.startswith("receipt/2019-06/B01/b01@example.test/failed-check-")
        assert receipt == "receipt/2019-06/B02/b02@example.test/v1"
        broken.undo()
        assert collect_late_packages() == ["2019-06-B01-1"]
        with pytest.raises(AirflowSkipException):
            collect_late_packages()
        assert server.keys()[2:] == ["receipt/2019-06/B01/b01@example.test/v1"]


def test_what_any_dag_could_not_send_leaves_with_the_next_hour(
    register_saved_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    from five_precisions.orchestration.late_submissions import collect_late_packages
    from five_precisions.orchestration.sending import send_due

    # A notice, posted and sent once by its own task, to a server that lets nobody in the first time.
    [key] = put_message(register_saved_engine, message(kind=Kind.MONTHLY_NOTICE, edition="r1", html="<p>动态考核</p>"))
    with MailServer(tmp_path / "mails", fault=Fault.GREYLISTED) as server:
        monkeypatch.setenv(PREFIX + "MAIL", server.url)
        send_due(register_saved_engine, settings.model_copy(update={"mail": SecretStr(server.url)}), "2019-06")
        assert server.keys() == []
        make_due(register_saved_engine)
        with pytest.raises(AirflowSkipException):
            collect_late_packages()
        assert server.keys() == [key]
        with register_saved_engine.begin() as connection:
            connection.execute(text("update notify.message set status = 'sending'"))
        with pytest.raises(AirflowSkipException):
            collect_late_packages()
        assert server.keys() == [key]
    assert state(register_saved_engine, key).status is Status.IN_DOUBT
