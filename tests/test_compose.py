"""What docker-compose.yaml, Dockerfile, .dockerignore and .env.example promise; needs no container engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from five_precisions.secrets_folder import SECRETS
from five_precisions.settings import PREFIX, ROOT, Settings

AIRFLOW_SERVICES = {
    "airflow-init",
    "airflow-apiserver",
    "airflow-scheduler",
    "airflow-dag-processor",
    "airflow-triggerer",
    "airflow-worker",
}
SERVICES = AIRFLOW_SERVICES | {"postgres", "redis", "log-retention", "mail-sink"}
_WAREHOUSE = {"database_password", "FIVE_PRECISIONS_WAREHOUSE"}
SECRETS_OF = {
    "postgres": {"postgres_password", "database_password"},
    "redis": {"redis_password"},
    "airflow-init": _WAREHOUSE | {"airflow_admin_password"},
    "airflow-apiserver": _WAREHOUSE
    | {
        "airflow_fernet_key",
        "airflow_jwt_secret",
        "airflow_api_secret_key",
        "FIVE_PRECISIONS_INBOX_OPTIONS",
        "FIVE_PRECISIONS_OUTBOX_OPTIONS",
    },
    "airflow-scheduler": {"database_password", "airflow_fernet_key", "airflow_jwt_secret", "redis_password"},
    "airflow-dag-processor": _WAREHOUSE
    | {"airflow_fernet_key", "airflow_connections.json", "FIVE_PRECISIONS_INBOX_OPTIONS"},
    "airflow-triggerer": _WAREHOUSE
    | {"airflow_fernet_key", "airflow_api_secret_key", "airflow_connections.json", "FIVE_PRECISIONS_INBOX_OPTIONS"},
    "airflow-worker": _WAREHOUSE
    | {"redis_password", "airflow_api_secret_key", "airflow_connections.json"}
    | {PREFIX + name for name in ("PII_KEY", "ARCHIVE_KEY", "MAIL")}
    | {PREFIX + name for name in ("INBOX_OPTIONS", "OUTBOX_OPTIONS", "ARCHIVE_OPTIONS")},
    "log-retention": set(),
    "mail-sink": set(),
}
"""Who has which secret, and nobody any other: whoever breaks into the scheduler has no key of anybody's data."""
TEXT = (ROOT / "docker-compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?P<rest>[^}]*)\}")
"""`${NAME:?sentence}` and its kin; `$$` is compose's way to write a dollar for the container."""


def environment(service: str) -> dict[str, str | None]:
    given = COMPOSE["services"][service].get("environment", {})
    assert isinstance(given, dict), service
    return given


def used_variables() -> dict[str, set[str]]:
    """Every variable that compose reads, with what stands behind its name; one passed through has nothing there."""
    used: dict[str, set[str]] = {}
    for match in VARIABLE.finditer(TEXT):
        used.setdefault(match["name"], set()).add(match["rest"])
    for service in SERVICES:
        for name, value in environment(service).items():
            if value is None:
                used.setdefault(name, set()).add("")
    return used


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_services_are_the_ones_of_the_design() -> None:
    assert set(COMPOSE["services"]) == SERVICES


def mounted(service: str) -> set[str]:
    return set(COMPOSE["services"][service].get("secrets", []))


def test_each_secret_is_where_it_is_needed_and_nowhere_else() -> None:
    assert {service: mounted(service) for service in SERVICES} == SECRETS_OF
    assert set().union(*SECRETS_OF.values()) == SECRETS.keys()


def test_each_secret_is_a_file_of_the_folder_that_the_command_makes() -> None:
    files = {name: secret["file"] for name, secret in COMPOSE["secrets"].items() if name != "pip_conf"}
    assert files == {name: f"./secrets/{name}" for name in SECRETS}
    for ignored in (".gitignore", ".dockerignore"):
        lines = (ROOT / ignored).read_text(encoding="utf-8").splitlines()
        assert {"/secrets/", "secrets"} & set(lines), ignored


def test_no_secret_stands_in_an_environment() -> None:
    """`docker inspect` shows it to everybody who may ask the engine, and each process hands it to its children."""
    secret = re.compile("PASSWORD|SECRET|KEY|TOKEN|MAIL$|OPTIONS$|CONN_|BROKER_URL|WAREHOUSE")
    harmless = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg2://five_precisions@postgres/airflow",
        "AIRFLOW__SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
        "FIVE_PRECISIONS_SECRETS_FOLDER": "/run/secrets",
    }
    found = {
        (service, name): str(value)
        for service in SERVICES
        for name, value in environment(service).items()
        if secret.search(name) and harmless.get(name) != value
    }
    assert {name for _, name in found} >= {"POSTGRES_PASSWORD_FILE", "AIRFLOW__CORE__FERNET_KEY_CMD"}
    for (service, name), value in found.items():
        assert "${" not in value.replace("$$", ""), f"{service} takes {name} from .env"
        [file] = re.findall(r"/run/secrets/([\w.]+)", value)
        assert file in mounted(service), f"{service} reads {file} and does not have it"


def test_no_variable_of_the_file_is_a_secret() -> None:
    names = used_variables().keys()
    assert "FIVE_PRECISIONS_PORT" in names
    assert [name for name in names if re.search("PASSWORD|SECRET|KEY|TOKEN|_MAIL$|_OPTIONS$|_CONN_", name)] == []


def test_no_secret_stands_in_a_command() -> None:
    """The list of processes shows it. The shell's own `printf` is no process."""
    for service, words in COMPOSE["services"].items():
        command = [*words.get("entrypoint", []), *words.get("command", [])]
        script = "\n".join(command)
        for file in re.findall(r"/run/secrets/([\w.]+)", script):
            assert file in mounted(service), service
        for line in script.splitlines():
            if re.search(r"\$\$(password|\(cat /run)", line):
                assert re.match(r"(printf|password=|requirepass) ?", line), f"{service}: {line}"
        assert "--password" not in script.replace("--no-password", ""), service


@pytest.mark.integration
def test_airflow_takes_as_a_command_only_what_it_would_run() -> None:
    """Of an option that is not marked as sensitive Airflow ignores `_CMD` without a word."""
    from airflow.configuration import conf
    from airflow.providers_manager import ProvidersManager

    ProvidersManager().initialize_providers_configuration()
    asked = {
        (section.lower(), option.lower())
        for service in AIRFLOW_SERVICES
        for name in environment(service)
        if name.startswith("AIRFLOW__") and name.endswith("_CMD")
        for _, section, option in [name.removesuffix("_CMD").split("__")]
    }
    assert len(asked) == 4
    assert asked <= conf.sensitive_config_values


@pytest.mark.integration
def test_a_password_file_holds_any_password(tmp_path: Path) -> None:
    password = r"a:b\c d'$e"
    [shell, options, script, name] = COMPOSE["services"]["airflow-worker"]["entrypoint"]
    (tmp_path / "database_password").write_text(password + "\n", encoding="utf-8")
    script = script.replace("/run/secrets", str(tmp_path)).replace("$$", "$")
    command = [shell, options, script, name, "sh", "-c", "stat -c %a ~/.pgpass; cat ~/.pgpass"]
    told = subprocess.run(
        command, env={**os.environ, "HOME": str(tmp_path)}, check=True, capture_output=True, text=True
    )
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    assert told.stdout == f"600\npostgres:5432:*:five_precisions:{escaped}\n"


def test_the_program_is_no_superuser_of_the_database() -> None:
    assert environment("postgres")["POSTGRES_USER"] == "postgres"
    script = COMPOSE["configs"]["databases"]["content"]
    assert "create role five_precisions login createdb password :'password';" in script
    assert "superuser;" not in script
    assert "createrole" not in script
    for database in ("airflow", "five_precisions"):
        assert f"create database {database} owner five_precisions;" in script
    assert "revoke connect, temporary on database airflow, postgres, template1 from public;" in script


def test_every_service_has_a_limit_of_memory() -> None:
    limits = {name: str(service["mem_limit"]) for name, service in COMPOSE["services"].items()}
    settable = {name: limit for name, limit in limits.items() if limit.startswith("${")}
    assert settable == {
        "airflow-apiserver": "${FIVE_PRECISIONS_API_MEMORY:-5g}",
        "airflow-worker": "${FIVE_PRECISIONS_WORKER_MEMORY:-6g}",
        "postgres": "${FIVE_PRECISIONS_DATABASE_MEMORY:-2g}",
    }
    assert all(re.fullmatch(r"\d+[mg]", limit) for name, limit in limits.items() if name not in settable)
    for name in AIRFLOW_SERVICES:
        # What is written into memory counts, too, and Docker's own bound is half of the machine's.
        assert all("size=" in mount for mount in COMPOSE["services"][name]["tmpfs"]), name


def test_whoever_reads_packages_has_room_for_the_worst_one() -> None:
    """The pages check packages, too; where one takes the API server down, no task can go on."""
    worst = 4  # docs/operations.md#limits-and-memory
    for name in ("airflow-apiserver", "airflow-worker"):
        [default] = re.findall(r":-(\d+)g\}$", COMPOSE["services"][name]["mem_limit"])
        assert int(default) > worst, name


def test_logs_do_not_grow_for_ever() -> None:
    for service in AIRFLOW_SERVICES:
        # Airflow 3.3 writes these files whatever `dag_processor_log_target` says; its home is memory here.
        folder = environment(service)["AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY"]
        assert str(folder).startswith("/var/log/airflow/")
    assert "logs:/var/log/airflow" in COMPOSE["services"]["airflow-dag-processor"]["volumes"]
    keeper = COMPOSE["services"]["log-retention"]
    assert keeper["command"][2:] == [
        "five_precisions.orchestration.log_retention",
        "/var/log/airflow",
        "--days=${FIVE_PRECISIONS_LOG_DAYS:-90}",
    ]
    assert keeper["volumes"] == ["logs:/var/log/airflow"]


def test_the_example_names_every_variable_and_holds_no_value() -> None:
    assert example().keys() == used_variables().keys()
    assert set(example().values()) == {""}


def test_the_example_explains_every_variable() -> None:
    groups = (ROOT / ".env.example").read_text(encoding="utf-8").split("\n\n")
    named = [group for group in groups if re.search(r"^\w+=$", group, re.MULTILINE)]
    assert named
    assert [group for group in named if not group.startswith("# ")] == []


def test_every_setting_of_the_package_reaches_airflow() -> None:
    settings = {
        str(field.validation_alias or PREFIX + name.upper()) for name, field in Settings.model_fields.items()
    } - {PREFIX + "VAR"}  # the image's own
    assert PREFIX + "PII_KEY" in settings
    assert settings == {name for name in environment("airflow-worker") if name in settings} | (
        mounted("airflow-worker") & settings
    )
    assert not environment("airflow-worker").keys() & SECRETS.keys()


def test_airflow_services_share_image_and_environment() -> None:
    image = COMPOSE["services"]["airflow-init"]["image"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert image == f"{project['name']}:{project['version']}"
    shared = environment("airflow-worker")
    assert len(shared) > 20
    for service in AIRFLOW_SERVICES:
        assert COMPOSE["services"][service]["image"] == image, service
        own = environment(service).items() ^ shared.items()
        assert all(re.search("_CMD$|^AIRFLOW__SECRETS__", name) for name, _ in own), service
        assert COMPOSE["services"][service]["entrypoint"] == COMPOSE["services"]["airflow-worker"]["entrypoint"]
    for service in ("mail-sink", "log-retention"):
        assert COMPOSE["services"][service]["image"] == image
    assert [name for name in SERVICES if "build" in COMPOSE["services"][name]] == ["airflow-init"], "built once"


def test_airflow_runs_on_celery_with_roles() -> None:
    shared = environment("airflow-worker")
    assert shared["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    assert str(shared["AIRFLOW__CORE__AUTH_MANAGER"]).endswith(".FabAuthManager")
    assert shared["AIRFLOW__CELERY__WORKER_CONCURRENCY"] == "${FIVE_PRECISIONS_WORKER_SLOTS:-4}"


def test_two_databases_on_one_server_without_a_password_in_an_address() -> None:
    shared = environment("airflow-worker")
    assert shared["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql+psycopg2://five_precisions@postgres/airflow"
    assert SECRETS["FIVE_PRECISIONS_WAREHOUSE"]() == "postgresql+psycopg://five_precisions@postgres/five_precisions"
    # Results are compared by bytes, so text is ordered as in the embedded server.
    assert environment("postgres")["POSTGRES_INITDB_ARGS"] == "--encoding=UTF8 --locale=C"


def test_only_the_api_server_is_published_and_on_loopback() -> None:
    published = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert list(published) == ["airflow-apiserver"]
    assert len(published["airflow-apiserver"]) == 1
    assert published["airflow-apiserver"][0].startswith("127.0.0.1:")
    for service in ("postgres", "redis", "log-retention", "mail-sink"):
        assert COMPOSE["services"][service]["networks"] == ["inside"], service
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_only_the_mail_sink_belongs_to_the_demo() -> None:
    profiles = {name: service["profiles"] for name, service in COMPOSE["services"].items() if "profiles" in service}
    assert profiles == {"mail-sink": ["demo"]}


def test_images_are_pinned_to_an_exact_version() -> None:
    base = re.search(r"^ARG PYTHON_IMAGE=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert base
    images = [service["image"] for service in COMPOSE["services"].values()] + [base[1]]
    assert len(images) == len(SERVICES) + 1
    assert [image for image in images if not re.fullmatch(r"[a-z-]+:\d+\.\d+(\.\d+)?(-[a-z-]+)?", image)] == []
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${PYTHON_IMAGE}"] * 2


def test_no_service_has_rights_it_does_not_need() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"] not in {"root", "0"}, name
        assert not {"privileged", "cap_add", "pid", "network_mode", "devices"} & service.keys(), name
        assert service.get("read_only") is True or name == "postgres", name


def test_services_are_watched_restarted_and_bounded() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}, name
        assert "stop_grace_period" in service, name
        if name == "airflow-init":
            assert service["restart"] == "no"
            assert "healthcheck" not in service
        elif name == "log-retention":
            assert service["restart"] == "unless-stopped"
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}, name


@pytest.mark.parametrize(
    ("service", "asks"),
    [
        ("postgres", "pg_isready"),
        ("redis", "redis-cli ping"),
        ("airflow-apiserver", "/api/v2/monitor/health"),
        ("airflow-scheduler", "airflow jobs check --job-type SchedulerJob --local"),
        ("airflow-dag-processor", "airflow jobs check --job-type DagProcessorJob --local"),
        ("airflow-triggerer", "airflow jobs check --job-type TriggererJob --local"),
        ("airflow-worker", "inspect ping"),
        ("mail-sink", "smtplib.SMTP"),
    ],
)
def test_health_is_asked_of_the_service_itself(service: str, asks: str) -> None:
    assert asks in " ".join(COMPOSE["services"][service]["healthcheck"]["test"])


def test_everything_waits_for_the_databases_to_be_prepared() -> None:
    for name in AIRFLOW_SERVICES:
        waits = {service: how["condition"] for service, how in COMPOSE["services"][name]["depends_on"].items()}
        assert waits["postgres"] == waits["redis"] == "service_healthy", name
        if name != "airflow-init":
            assert waits["airflow-init"] == "service_completed_successfully", name


def test_what_must_last_lies_in_named_volumes() -> None:
    mounts = {
        (name, *mount.split(":"))
        for name, service in COMPOSE["services"].items()
        for mount in service.get("volumes", [])
    }
    used = {volume for _, volume, *_ in mounts}
    assert (
        used
        == COMPOSE["volumes"].keys()
        == {
            "pgdata",
            "logs",
            "inbox",
            "outbox",
            "archive",
            "backups",
            "data-docs",
            "mails",
        }
    )
    assert ("postgres", "pgdata", "/var/lib/postgresql") in mounts
    # What does not write a volume cannot write it: who takes packages in is the worker alone.
    kept = {"inbox", "outbox", "archive", "backups", "data-docs"}
    writers = {(name, volume) for name, volume, _, *mode in mounts if volume in kept and not mode}
    assert writers == {("airflow-worker", volume) for volume in kept}


def test_the_pages_see_what_they_show_and_can_write_none_of_it() -> None:
    """Without its volume a folder is an empty one of the image: the pages would say that there is nothing."""
    mounts = dict(mount.split(":", 1) for mount in COMPOSE["services"]["airflow-apiserver"]["volumes"])
    del mounts["logs"]
    assert mounts == {name: f"/var/lib/five-precisions/{name}:ro" for name in ("inbox", "outbox", "data-docs")}


def test_the_image_has_the_folder_of_every_volume_that_airflow_writes() -> None:
    """An empty volume takes over the owner of the folder that it covers; where the image has none, it is root's."""
    [loop] = re.findall(r"for folder in ([\w -]+); do", DOCKERFILE)
    made = {f"/var/lib/five-precisions/{folder}" for folder in loop.split()} | {"/var/log/airflow"}
    covered = {
        mount.split(":")[1]
        for name in AIRFLOW_SERVICES | {"log-retention", "mail-sink"}
        for mount in COMPOSE["services"][name].get("volumes", [])
    }
    assert "/var/lib/five-precisions/data-docs" in covered
    assert covered == made


def test_the_mail_sink_comes_with_the_lock() -> None:
    assert COMPOSE["services"]["mail-sink"]["command"][:3] == ["python", "-m", "aiosmtpd"]
    assert re.search(r"^aiosmtpd==", (ROOT / "requirements/lock.txt").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_image_installs_by_hash_and_runs_as_a_user() -> None:
    installs = re.findall(r"(?:pip install|pip sync) .*?(?:\n\n|;|$)", DOCKERFILE, re.DOTALL | re.MULTILINE)
    assert len(installs) == 3
    for install in installs:
        assert "--require-hashes" in install or "--offline" in install, install
    runtime = DOCKERFILE.split("FROM ${PYTHON_IMAGE}")[-1]
    assert "apt-get" not in runtime, "no compilers, no packages besides the wheels"
    assert re.findall(r"^USER (\S+)", runtime, re.MULTILINE)[-1] == "airflow"
    assert not re.search("(PASSWORD|SECRET|KEY)=", DOCKERFILE), "no secret in a layer"


def test_the_image_takes_what_it_needs_and_nothing_else() -> None:
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert copied >= {"include", "dags", "plugins", "config", "pyproject.toml", "requirements/lock.txt"}
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in ignored if line and not line.startswith("#")]
    assert rules[0] == "*", "shut by default"
    opened = {rule[1:] for rule in rules if rule.startswith("!")}
    assert opened == {Path(source).parts[0] for source in copied}
    for folder in ("var", ".git", ".venv", ".env", "secrets"):
        assert folder in rules[1:], folder
        assert folder not in opened


def test_the_package_finds_its_files_where_the_image_puts_them() -> None:
    # settings.ROOT is two folders above the package; the image keeps that layout under /app.
    assert "WORKDIR /app\n" in DOCKERFILE
    assert re.search(r"^COPY include include$", DOCKERFILE, re.MULTILINE)
    assert "PYTHONPATH=/app/config" in DOCKERFILE
    assert "AIRFLOW__CORE__DAGS_FOLDER=/app/dags" in DOCKERFILE
    assert "AIRFLOW__CORE__PLUGINS_FOLDER=/app/plugins" in DOCKERFILE


def has_compose() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    return subprocess.run([docker, "compose", "version"], check=False, capture_output=True).returncode == 0


def compose_config(folder: Path, values: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`docker compose config` with these settings and none of the machine's."""
    settings = folder / "settings.env"
    settings.write_text("".join(f"{name}={value}\n" for name, value in values.items()), encoding="utf-8")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_CONFIG") if name in os.environ}
    return subprocess.run(
        [
            "docker",
            "compose",
            "--env-file",
            settings,
            "--file",
            ROOT / "docker-compose.yaml",
            "--profile",
            "demo",
            "config",
        ],
        check=False,
        env=kept,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.integration
@pytest.mark.skipif(not has_compose(), reason="docker compose is not on the PATH; only this check needs it")
def test_compose_itself_takes_the_file(tmp_path: Path) -> None:
    whole = compose_config(tmp_path, example())
    assert whole.returncode == 0, whole.stderr
    services = yaml.safe_load(whole.stdout)["services"]
    assert set(services) == SERVICES
    for name, service in services.items():
        assert {secret["source"] for secret in service.get("secrets", [])} == SECRETS_OF[name], name
        assert int(service["mem_limit"]) > 0, name


@pytest.mark.integration
def test_the_locked_celery_works_with_the_executor(tmp_path: Path) -> None:
    """Celery 5.7 took out a module that the provider imports."""
    command = [sys.executable, "-c", "import airflow.providers.celery.executors.celery_executor"]
    subprocess.run(command, env={**os.environ, "AIRFLOW_HOME": str(tmp_path)}, check=True, capture_output=True)


@pytest.mark.integration
def test_airflow_bears_our_name_and_our_red_in_both_stacks() -> None:
    from airflow.api_fastapi.common.types import Theme

    from five_precisions_demo.stack.environment import INSTANCE_NAME, THEME

    given = environment("airflow-apiserver")
    assert f"{given['AIRFLOW__API__INSTANCE_NAME']}（演示）" == INSTANCE_NAME
    assert json.loads(str(given["AIRFLOW__API__THEME"])) == THEME
    # What Airflow does not take as a theme breaks each of its pages.
    taken = Theme.model_validate(THEME).model_dump(exclude_none=True)
    assert taken["tokens"]["colors"]["brand"]["600"]["value"] == "oklch(0.55 0.19 27.2)"
