"""The page of a draft behind Airflow's login: who may see it, what it shows, which files it gives out and which not."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from five_precisions.bulletin import Rendered, preview, show_draft, write
from five_precisions.bulletin.compose import compose
from five_precisions.bulletin.invariants import CHECKS
from five_precisions.settings import PREFIX as ENVIRONMENT
from five_precisions.settings import ROOT, Settings
from tests.bulletin.small_quarter import small_quarter
from tests.s3_server import BUCKET, S3Server
from tests.web.conftest import PREFIX, Login
from tests.web.pages import words_of

RESULTS = small_quarter()
RUN = RESULTS.at_end.run.run_id
DRAFTS = f"{PREFIX}/drafts"
PAGE = f"{DRAFTS}/2019-Q2/1"
PDF, WORKBOOK = b"%PDF-1.7 draft", b"PK\x03\x04 draft"


@cache
def bulletin() -> Rendered:
    return Rendered(RESULTS, compose(RESULTS, is_demo=True), PDF, WORKBOOK)


def correction() -> Rendered:
    full = bulletin()
    correction = replace(full.bulletin, title="关于更正2019年第二季度通报的通报")
    return Rendered(RESULTS, correction, PDF + b" correction", WORKBOOK + b" correction", full)


def lay(engine: Engine, settings: Settings, rendered: Rendered) -> int:
    """Show a draft as `quarterly_bulletin` does."""
    with engine.begin() as connection:
        connection.execute(text("insert into registry.period values ('2019-06', now()) on conflict do nothing"))
        connection.execute(
            text(
                "insert into mart.run (run_id, period, revision, closed_at, input_digest, scheme_version, "
                "scorecard_version, code_version, current) "
                "values (:run, '2019-06', 1, now(), 'x', '1', '1', '1', true) on conflict do nothing"
            ),
            {"run": RUN},
        )
    draft = show_draft(engine, rendered)
    write(rendered, settings.outbox_address, f"2019-Q2/draft-{draft}", settings.storage_options("outbox"))
    return draft


def decide(engine: Engine, draft: int, decision: str, remark: str) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into notify.approval "
                "(quarter, draft, run_id, shown_digest, decision, decided_by, decided_at, remark) "
                "values ('2019-Q2', :draft, :run, 'x', :decision, '李行长', '2019-07-12T12:00+08', :remark)"
            ),
            {"draft": draft, "run": RUN, "decision": decision, "remark": remark},
        )


@pytest.fixture
def draft(engine: Engine, settings: Settings) -> Rendered:
    """A bulletin that waits for a decision, draft 1."""
    shown = bulletin()
    assert lay(engine, settings, shown) == 1
    return shown


@pytest.fixture
def reader(login: Login) -> TestClient:
    return login("viewer")


def links(html: str) -> list[str]:
    """What the content of a page leads to, without its navigation."""
    return re.findall(r'(?:href|src)="([^"]+)"', html[html.index("<main") :])


def test_the_page_shows_what_is_on_record(draft: Rendered, reader: TestClient) -> None:
    answer = reader.get(PAGE)
    assert answer.status_code == 200
    words = words_of(answer.text)
    for each in (
        draft.bulletin.title,
        RUN,
        draft.digest,
        "2019-Q2 第1稿",
        "等待审批",
        "演示数据",
        "全部通过",
        *CHECKS,
    ):
        assert each in words
    assert links(answer.text) == [
        "1/files/bulletin-2019-Q2.pdf",
        "1/files/bulletin-2019-Q2.xlsx",
        "1/files/bulletin-2019-Q2.html",
        "/required_actions?response_received=false",
        "1/files/bulletin-2019-Q2.html?framed=true",
    ]


def test_the_approval_leads_to_the_page(draft: Rendered, reader: TestClient) -> None:
    from five_precisions.orchestration.publication import DRAFT_PAGES

    body = preview(draft, f"{DRAFT_PAGES}/2019-Q2/1")
    [link] = re.findall(r"\]\((\S+)\)", body)
    # Airflow's pages have Airflow's own address as their base.
    assert reader.get(f"/{link}").status_code == 200
    assert f"勾稽关系检查：全部通过（{'；'.join(CHECKS)}）" in body
    assert len(CHECKS) == 5
    assert "outbox" not in body


def test_a_page_runs_nothing_but_our_own_script(draft: Rendered, reader: TestClient) -> None:
    first = reader.get(PAGE)
    policy = first.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'; ")
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    assert "<style" not in first.text
    assert re.findall(r"<script[^>]*>[^<]+", first.text) == []
    assert " style=" not in first.text
    assert '<iframe sandbox title="通报 邮件（致领导）"' in first.text
    assert first.headers["cache-control"] == "private, no-store"


def test_files_are_served_as_what_they_are(draft: Rendered, reader: TestClient) -> None:
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    for ending, content, media_type, disposition in (
        ("pdf", PDF, "application/pdf", "inline"),
        ("xlsx", WORKBOOK, sheet, "attachment"),
        ("html", draft.letter(None)[1].encode(), "text/html; charset=utf-8", "inline"),
    ):
        name = f"bulletin-2019-Q2.{ending}"
        answer = reader.get(f"{PAGE}/files/{name}")
        assert answer.status_code == 200
        assert answer.content == content
        assert answer.headers["content-type"] == media_type
        assert answer.headers["content-disposition"] == f'{disposition}; filename="{name}"'
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_mail_cannot_run_anything(draft: Rendered, reader: TestClient) -> None:
    for address in (f"{PAGE}/files/bulletin-2019-Q2.html", f"{PAGE}/files/bulletin-2019-Q2.html?framed=true"):
        policy = reader.get(address).headers["content-security-policy"]
        assert policy.startswith("sandbox; default-src 'none'; ")
        assert "script-src" not in policy
        assert "allow-" not in policy


def test_in_its_frame_the_mail_can_have_the_focus(draft: Rendered, reader: TestClient) -> None:
    sent = reader.get(f"{PAGE}/files/bulletin-2019-Q2.html").content
    framed = reader.get(f"{PAGE}/files/bulletin-2019-Q2.html?framed=true").content
    assert framed.replace(b' tabindex="0"', b"") == sent != framed
    assert reader.get(f"{PAGE}/files/bulletin-2019-Q2.pdf?framed=true").content == PDF


def test_who_decided_and_why(engine: Engine, draft: Rendered, reader: TestClient) -> None:
    decide(engine, 1, "rejected", "<script>alert('表三')</script>\n第二行")
    answer = reader.get(PAGE)
    assert "退回：李行长，2019年7月12日 12:00 退回理由" in words_of(answer.text)
    assert "&lt;script&gt;alert(&#39;表三&#39;)&lt;/script&gt;\n第二行" in answer.text
    assert "<script>" not in answer.text


def test_a_remark_of_an_approved_draft(engine: Engine, draft: Rendered, reader: TestClient) -> None:
    decide(engine, 1, "approved", "请抓好落实。")
    words = words_of(reader.get(PAGE).text)
    assert "批准：李行长，2019年7月12日 12:00 批示 请抓好落实。" in words
    assert "等待审批" not in words


def test_a_correction_comes_with_the_full_text(
    engine: Engine, settings: Settings, draft: Rendered, reader: TestClient
) -> None:
    decide(engine, 1, "approved", "")
    assert lay(engine, settings, correction()) == 2
    answer = reader.get(f"{DRAFTS}/2019-Q2/2")
    words = words_of(answer.text)
    for each in (
        "关于更正2019年第二季度通报的通报",
        "更正通报 PDF",
        "更正后的通报 PDF",
        "更正后的通报 附表（Excel）",
    ):
        assert each in words
    files = [link for link in links(answer.text) if "/files/" in link]
    assert len(files) == 7
    assert files[-1] == "2/files/correction-2019-Q2.html?framed=true"
    for file in files:
        assert reader.get(f"{DRAFTS}/2019-Q2/{file}").status_code == 200
    assert reader.get(f"{DRAFTS}/2019-Q2/2/files/correction-2019-Q2.pdf").content == PDF + b" correction"
    assert reader.get(f"{DRAFTS}/2019-Q2/2/files/bulletin-2019-Q2.pdf").content == PDF
    # The first draft is still what it was.
    assert reader.get(f"{PAGE}/files/correction-2019-Q2.pdf").status_code == 404


@pytest.mark.slow
def test_no_list_of_routes_is_given_out(stranger: TestClient) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert stranger.get(PREFIX + path).status_code == 404


def test_a_forged_login_is_none(draft: Rendered, stranger: TestClient, login: Login) -> None:
    genuine = login("admin").cookies["_token"]
    head, body, signature = genuine.split(".")
    for token in ("x", f"{head}.{body}.{signature[::-1]}", f"{head}.{body}."):
        stranger.cookies.set("_token", token)
        assert stranger.get(PAGE).status_code == 307
        assert stranger.get(PAGE, headers={"Accept": "*/*"}).status_code in (401, 403)
    # A program shows it in the header.
    stranger.cookies.clear()
    assert stranger.get(PAGE, headers={"Authorization": f"Bearer {genuine}"}).status_code == 200


def test_a_page_only_shows(draft: Rendered, reader: TestClient) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert reader.request(method, PAGE).status_code == 405


MISSING = (
    ("2019-Q3/1", "没有2019年第3季度通报第1稿。"),
    ("2019-Q2/2", "没有2019年第2季度通报第2稿。"),
    ("2019-Q5/1", "网址中的季度不对，应写作2019-Q2。"),
    ("２０１９-Q2/1", "网址中的季度不对，应写作2019-Q2。"),
    ("2019-Q2%09/1", "网址中的季度不对，应写作2019-Q2。"),
    ("%2e%2e/1", "网址中的季度不对，应写作2019-Q2。"),
    ("2019-Q2'--/1", "网址中的季度不对，应写作2019-Q2。"),
    ("2019-Q2/0", "网址中的稿次不对，应为1、2、3……"),
    ("2019-Q2/01", "网址中的稿次不对，应为1、2、3……"),
    ("2019-Q2/-1", "网址中的稿次不对，应为1、2、3……"),
    ("2019-Q2/1.0", "网址中的稿次不对，应为1、2、3……"),
    ("2019-Q2/１", "网址中的稿次不对，应为1、2、3……"),
    ("2019-Q2/99999999999999999999", "网址中的稿次不对，应为1、2、3……"),
    ("2019-Q2", "没有这个页面。"),
    ("2019-Q2/1/files", "没有这个页面。"),
)


def test_what_is_not_there(draft: Rendered, reader: TestClient) -> None:
    for path, words in MISSING:
        for below in ("", "/files/bulletin-2019-Q2.pdf") if path.count("/") == 1 else ("",):
            answer = reader.get(f"{DRAFTS}/{path}{below}")
            assert answer.status_code == 404, path
            assert words_of(answer.text) == f"金融精准扶贫监测系统 {words} 回到今日"


ASIDE = f".bulletin-2019-Q2.pdf.{'0' * 32}.part"
HOSTILE = (
    "notes.txt", "bulletin-2019-Q2.exe", "bulletin-2019-Q1.pdf", "BULLETIN-2019-Q2.PDF", ASIDE, ".", "%2e%2e",
    "bulletin-2019-Q2.pdf%00", "bulletin-2019-Q2.pdf%20", "bulletin-2019-Q2.pdf%0d%0aSet-Cookie:%20a=b",
    "..%2fdraft-1%2fbulletin-2019-Q2.pdf", "..%5cdraft-1%5cbulletin-2019-Q2.pdf", "%252e%252e%252fsecrets.env",
    "%2e%2e%2f%2e%2e%2f%2e%2e%2fsecrets.env", "%2fetc%2fpasswd", "file:%2f%2f%2fetc%2fpasswd",
    "<script>alert(1)</script>.pdf",
)  # fmt: skip


def test_no_other_file_is_given_out(draft: Rendered, settings: Settings, reader: TestClient) -> None:
    folder = Path(settings.outbox_address) / "2019-Q2" / "draft-1"
    assert (folder / "bulletin-2019-Q2.pdf").read_bytes() == PDF
    for other in ("notes.txt", "bulletin-2019-Q2.exe", "bulletin-2019-Q1.pdf", ASIDE):
        (folder / other).write_text("secret")
    secrets_file = settings.var / "secrets.env"
    secrets_file.write_text("secret=secret")
    secrets_file.chmod(0o600)
    for name in HOSTILE:
        answer = reader.get(f"{PAGE}/files/{name}")
        assert answer.status_code == 404, name
        assert "secret" not in answer.text
        assert "<script>" not in answer.text
        assert "set-cookie" not in answer.headers


def test_a_link_in_the_place_of_a_file_is_not_followed(
    draft: Rendered, settings: Settings, reader: TestClient, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    file = Path(settings.outbox_address) / "2019-Q2" / "draft-1" / "bulletin-2019-Q2.html"
    file.unlink()
    file.symlink_to(tmp_path / "secret")
    assert reader.get(f"{PAGE}/files/{file.name}").status_code == 404
    assert file.name not in reader.get(PAGE).text


def test_files_that_nobody_was_shown_are_not_given_out(engine: Engine, settings: Settings, reader: TestClient) -> None:
    write(bulletin(), settings.outbox_address, "2019-Q2/draft-1")
    assert reader.get(PAGE).status_code == 404
    assert reader.get(f"{PAGE}/files/bulletin-2019-Q2.pdf").status_code == 404


def test_files_that_are_gone(draft: Rendered, settings: Settings, reader: TestClient) -> None:
    for file in (Path(settings.outbox_address) / "2019-Q2" / "draft-1").iterdir():
        file.unlink()
    answer = reader.get(PAGE)
    assert answer.status_code == 200
    assert "发件箱中已没有本稿的文件；如需再看，请重新运行本季度的通报。" in answer.text
    assert "<iframe" not in answer.text
    missing = reader.get(f"{PAGE}/files/bulletin-2019-Q2.pdf")
    assert missing.status_code == 404
    assert "2019年第2季度通报第1稿没有这个文件。" in missing.text


@pytest.mark.parametrize(
    ("name", "value", "logged"),
    [
        ("SETTLE_SECONDS", "geheim", "SETTLE_SECONDS is wrong"),
        ("SECRETS_FILE", "/nowhere/geheim.env", "which does not exist"),
        ("WAREHOUSE", "postgresql://geheim:geheim@127.0.0.1:1/none", "cannot be reached"),
        ("OUTBOX_OPTIONS", "geheim", "OUTBOX_OPTIONS is not a JSON object"),
        ("OUTBOX", "geheim://outbox", "address or options cannot be used"),
    ],
)
def test_wrong_settings_break_the_page_and_not_the_server(
    draft: Rendered, reader: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    name: str, value: str, logged: str,
) -> None:  # fmt: skip
    monkeypatch.setenv(ENVIRONMENT + name, value)
    with caplog.at_level(logging.ERROR, logger="five_precisions"):
        answer = reader.get(PAGE)
    assert answer.status_code == 503
    assert words_of(answer.text).startswith("金融精准扶贫监测系统 页面暂时打不开")
    assert "geheim" not in answer.text
    assert logged in caplog.text
    monkeypatch.delenv(ENVIRONMENT + name)


def test_an_error_that_nobody_thought_of_is_told_in_a_sentence(
    engine: Engine, draft: Rendered, reader: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with engine.begin() as connection:
        connection.execute(text("alter table notify.shown_draft rename column title to geheim"))
    answer = reader.get(PAGE)
    assert answer.status_code == 503
    assert "页面暂时打不开" in answer.text
    assert "geheim" not in answer.text
    assert "UndefinedColumn" in caplog.text


def test_an_outbox_on_s3(
    engine: Engine, settings: Settings, reader: TestClient, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT + "OUTBOX", f"s3://{BUCKET}/outbox")
    monkeypatch.setenv(ENVIRONMENT + "OUTBOX_OPTIONS", json.dumps(s3.options))
    elsewhere = Settings.load()
    lay(engine, settings, bulletin())
    # Its files were laid elsewhere; what a store once listed is asked for again.
    assert "发件箱中已没有本稿的文件" in reader.get(PAGE).text
    write(bulletin(), elsewhere.outbox_address, "2019-Q2/draft-1", s3.options)
    assert "通报 PDF" in reader.get(PAGE).text
    assert reader.get(f"{PAGE}/files/bulletin-2019-Q2.pdf").content == PDF
    assert reader.get(f"{PAGE}/files/correction-2019-Q2.pdf").status_code == 404


@pytest.mark.integration
def test_the_plugin_registers_exactly_this(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith((ENVIRONMENT, "AIRFLOW"))}
    environment |= {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        # Read on each request, never when the server starts.
        ENVIRONMENT + "SETTLE_SECONDS": "wrong",
    }
    script = Path(__file__).with_name("describe_plugin.py")
    found = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True)
    described = json.loads(found.stdout.splitlines()[-1])
    assert described["errors"] == {}
    assert described["plugins"] == ["five_precisions"]
    assert described["apps"] == [["Five Precisions", "/five-precisions", "Five Precisions"]]
    assert described["views"] == [
        ["nav", "five-precisions/today"],
        ["dag_run", "five-precisions/tabs/runs/{DAG_ID}/{RUN_ID}"],
        ["task_instance", "five-precisions/tabs/tasks/{DAG_ID}/{RUN_ID}/{TASK_ID}/{MAP_INDEX}"],
    ]
    assert described["middlewares"] == ["The first answer stands"]
    assert described["due_moments"] == ["ReportingDeadline", "RunMade"]
    assert described["loads_the_app_at_once"] is False
    assert described["heavy"] == []
    [info] = described["info"]
    registered = {name for name, value in info.items() if value and name not in ("name", "source")}
    assert registered == {"external_views", "fastapi_apps", "fastapi_root_middlewares"}
    # Each file there is executed, under its bare name.
    assert [file.name for file in (ROOT / "plugins").glob("*.py")] == ["five_precisions_plugin.py"]


def test_under_another_key_a_page_says_that_the_installation_is_wrong(
    draft: Rendered, settings: Settings, reader: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reader.get(PAGE).status_code == 200
    monkeypatch.setenv(ENVIRONMENT + "PII_KEY", "n" * 40)
    answer = reader.get(PAGE)
    assert answer.status_code == 503
    assert "系统设置有误" in answer.text
    assert draft.bulletin.title not in answer.text
