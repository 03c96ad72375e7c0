"""The environment of a stack's processes, with secrets and passwords that are made once.

Nothing of the caller's own Airflow, Python or database reaches them.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL

from five_precisions.secrets_file import ensure_secrets
from five_precisions.settings import PREFIX, ROOT
from five_precisions_demo.stack.site import APPROVER, HOST, OPS, OPS_ADDRESS, Site

SENDER: Final = "five-precisions@example.test"
AIRFLOW_DATABASE: Final = "airflow"
"""Airflow's own database, on the warehouse's server."""
MARK: Final = PREFIX + "STACK"
"""Names the stack's folder in the environment of each of its processes; nothing else sets it."""
INSTANCE_NAME: Final = "五个精准 · 金融精准扶贫监测（演示）"
"""Heads Airflow's home page and each tab of the browser."""
THEME: Final = {
    "tokens": {
        "colors": {
            "brand": {
                shade: {"value": f"oklch({lightness} {chroma} 27.2)"}
                for shade, lightness, chroma in (
                    ("50", 0.975, 0.011),
                    ("100", 0.955, 0.02),
                    ("200", 0.92, 0.037),
                    ("300", 0.84, 0.08),
                    ("400", 0.73, 0.14),
                    ("500", 0.63, 0.18),
                    ("600", 0.55, 0.19),
                    ("700", 0.45, 0.155),
                    ("800", 0.34, 0.105),
                    ("900", 0.29, 0.085),
                    ("950", 0.22, 0.06),
                )
            }
        }
    }
}
"""Airflow's colours: shades of red; that of our pages, #b3261e in include/templates/web/desk.css, lies next to 600."""
_FOREIGN: Final = ("AIRFLOW", PREFIX, "PYTHON", "PG")
"""What is set under such names in the caller's environment is meant for another Airflow, Python or database."""


def make_environment(site: Site, url: URL, mail_port: int, *, paused: bool) -> dict[str, str]:
    """The settings of Airflow and of our tasks; secrets and passwords are made where there are none yet.

    Args:
        site: Where the stack lives.
        url: The warehouse's address.
        mail_port: Where the mail server listens.
        paused: Whether a DAG that is new runs only once it is unpaused.
    """
    var = site.var.resolve()
    mail = f"mailto://{HOST}:{mail_port}?mode=insecure&from={SENDER}"
    airflow_url = url.set(drivername="postgresql+psycopg2", database=AIRFLOW_DATABASE)
    _write_passwords(site)
    require_secrets(site)
    return {
        **clean_environment(site),
        **_airflow_secrets(var / "airflow.env"),
        **site.variables,
        PREFIX + "VAR": str(var),
        PREFIX + "WAREHOUSE": url.render_as_string(hide_password=False),
        PREFIX + "AIRFLOW_DATABASE": airflow_url.render_as_string(hide_password=False),
        PREFIX + "MAIL": mail,
        # Else each task asks Airflow for a connection that there is not.
        PREFIX + "INBOX": str(site.inbox.resolve()),
        PREFIX + "SECRETS_FILE": str(var / "secrets.env"),
        # airflow_local_settings.py
        "PYTHONPATH": str(ROOT / "config"),
        "AIRFLOW_HOME": str(var / "airflow"),
        "AIRFLOW_CONN_APPRISE_DEFAULT": json.dumps(
            {
                "conn_type": "apprise",
                "extra": {"config": {"path": f"{mail}&to={OPS_ADDRESS}", "tag": "all"}},
            }
        ),
        **_airflow_options(
            core={
                "dags_folder": site.dags.resolve(),
                "plugins_folder": ROOT / "plugins",
                "load_examples": False,
                "executor": "LocalExecutor",
                # Of one run: two cores stay busy while some wait for their turn. More only beat more often.
                "max_active_tasks_per_dag": 6,
                # So there is always a place for them: a finished task keeps its own for two seconds (below).
                "parallelism": 16,
                # What is emitted while a consumer is paused is lost to it: all are unpaused at once.
                "dags_are_paused_at_creation": paused,
                "execution_api_server_url": f"{site.url}/execution/",
                "simple_auth_manager_users": f"{OPS}:admin,{APPROVER}:user",
                "simple_auth_manager_passwords_file": site.passwords_file.resolve(),
                # The default asks the network for this machine's name.
                "hostname_callable": "socket.gethostname",
            },
            database={"sql_alchemy_conn": airflow_url.render_as_string(hide_password=False)},
            api={
                "host": HOST,
                "port": site.port,
                "base_url": site.url,
                "workers": 1,
                "instance_name": INSTANCE_NAME,
                "theme": json.dumps(THEME),
            },
            # In both folders Airflow writes files and takes none away; the supervisor does (log_retention).
            logging={
                "base_log_folder": site.task_logs.resolve(),
                # Airflow sets them itself, whatever the umask says: for everybody to read.
                "file_task_handler_new_folder_permissions": "0o700",
                "file_task_handler_new_file_permissions": "0o600",
                "dag_processor_child_process_log_directory": var / "logs" / "dag-processor",
            },
            # A finished task keeps its place while its supervisor sleeps between two heartbeats, 5 s by default. Each
            # heartbeat costs as much as any other call.
            workers={"min_heartbeat_interval": 2},
            scheduler={"scheduler_idle_sleep_time": 0.2},
            # Of files that have not changed; one that has is read within a minute.
            dag_processor={"min_file_process_interval": 600, "parsing_processes": 1},
        ),
    }


def require_secrets(site: Site) -> None:
    """Make the secrets where there is nothing yet that was made with any.

    Raises:
        SetupError: there is, and they are gone.
    """
    # Nothing of the caller's reaches a stack, so its secrets stand in its own file.
    ensure_secrets(site.var.resolve() / "secrets.env", {})


def clean_environment(site: Site) -> dict[str, str]:
    """The caller's environment without what is meant for others, with the stack's mark."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    # The components talk to one another on this machine; no proxy of the caller's may stand in between.
    local = dict.fromkeys(("NO_PROXY", "no_proxy"), f"{HOST},localhost")
    # Nor do they need any certificate authority, which every mail and every worker would read for 20 ms.
    trusted = dict.fromkeys(("SSL_CERT_FILE", "SSL_CERT_DIR"), os.devnull)
    # A process that renames itself would write its new name over the mark (setproctitle).
    return {**kept, **local, **trusted, "SPT_NOENV": "1", "PYTHONUNBUFFERED": "1", MARK: str(site.var.resolve())}


def forget_foreign_environment() -> None:
    """Take out of this process' environment what is meant for another Airflow or another installation of ours."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN):
            del os.environ[name]


def _airflow_options(**sections: Mapping[str, Any]) -> dict[str, str]:
    return {
        f"AIRFLOW__{section}__{option}".upper(): str(value)
        for section, options in sections.items()
        for option, value in options.items()
    }


def _airflow_secrets(path: Path) -> dict[str, str]:
    if not path.exists():
        from cryptography.fernet import Fernet

        made = _airflow_options(
            core={"fernet_key": Fernet.generate_key().decode()},
            api={"secret_key": secrets.token_urlsafe(48)},
            api_auth={"jwt_secret": secrets.token_urlsafe(64)},
        )
        _write_private(path, "".join(f"{name}={value}\n" for name, value in made.items()))
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def _write_passwords(site: Site) -> None:
    if not site.passwords_file.exists():
        passwords = {user: secrets.token_urlsafe(12) for user in (OPS, APPROVER)}
        _write_private(site.passwords_file, json.dumps(passwords))


def _write_private(path: Path, content: str) -> None:
    """Write a file that only its owner can read; it appears whole or not at all."""
    draft = path.with_name(f".{path.name}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
    draft.rename(path)
