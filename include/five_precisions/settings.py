"""The one typed settings object (docs/reference/settings.md). Read once at the edge, then handed down."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from five_precisions.errors import SetupError, UsageError, sentence_of
from five_precisions.own_files import SHIPPED, VARIABLE, found_in, require_folder
from five_precisions.period import Period
from five_precisions.rights import close_folder

INCLUDE = SHIPPED
ROOT = INCLUDE.parent
DEMO_REGISTER = INCLUDE / "demo_register"
PREFIX = "FIVE_PRECISIONS_"
SHORTEST_SECRET = 32
"""Bytes; shorter secrets can be guessed (docs/reports.md#sensitive-columns)."""
_MOST_PROCESSES: Final = 4
"""Packages are recorded one by one, so more would mostly wait."""


READ_FIRST: Final = {
    "SECRETS_FILE": "File of lines NAME=value, readable by its owner only. Unset: `var/secrets.env`, if it is there.",
    "SECRETS_FOLDER": "Folder with a file for each secret, named like the setting, as container runtimes mount it.",
}
"""Names without the prefix that only the environment gives, and what they mean: they say where settings stand."""


def _parse_period(value: object) -> object:
    """A month as a model's field reads it: text is parsed, anything else is left to the field.

    Raises:
        ValueError: the text is no month.
    """
    try:
        return Period.parse(value) if isinstance(value, str) else value
    except UsageError as error:
        # As an error of validation, so that the sentence names the variable.
        raise ValueError(str(error).rstrip(".")) from None


class Settings(BaseSettings):
    """What the environment (`FIVE_PRECISIONS_*`) says; a secret may stand in the secrets file or folder instead."""

    # What stands below each field is its description: docs/reference/settings.md is made of them.
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, use_attribute_docstrings=True
    )

    var: Path = ROOT / "var"
    """Folder of what this machine keeps: the embedded server's data, inbox, outbox, archive, secrets."""
    # The addresses are not shown: a password may stand in one.
    warehouse: str | None = Field(default=None, repr=False)
    """SQLAlchemy URL of a PostgreSQL server. Unset: the embedded server, whose data lie in `var/warehouse`."""
    inbox: str | None = Field(default=None, repr=False)
    """fsspec address of the folder where packages arrive (docs/inbox.md). Unset: `var/inbox`."""
    outbox: str | None = Field(default=None, repr=False)
    """fsspec address of the folder for receipts and findings workbooks. Unset: `var/outbox`."""
    archive: str | None = Field(default=None, repr=False)
    """fsspec address of the folder for delivered files, encrypted (docs/archive.md). Unset: `var/archive`."""
    data_docs: str | None = Field(default=None, repr=False)
    """fsspec address of the folder for the Data Docs. Unset: `var/data-docs`."""
    backups: str | None = Field(default=None, repr=False)
    """fsspec address of the folder for the backups of housekeeping (docs/operations.md#backup). Unset: `var/backups`,
    on the disk that they are to outlive."""
    keep_backups: int = Field(default=7, gt=0)
    """How many backups of housekeeping are kept, the newest."""
    keep_archive_years: int | None = Field(default=None, gt=0)
    """Years after which a superseded file may leave the archive (docs/archive.md#retention). Unset: all are kept."""
    log_days: int = Field(default=90, gt=0)
    """How many days the logs of tasks are kept."""
    airflow_database: str | None = Field(default=None, repr=False)
    """SQLAlchemy URL of Airflow's own database, as in Airflow's `sql_alchemy_conn`, for housekeeping: Airflow hides its
    own from tasks. Unset: old runs are not cleaned away."""
    keep_runs_days: int = Field(default=400, ge=200)
    """How many days Airflow keeps runs, with their tasks and events: at least two quarters, for a bulletin waits for
    the events of three months."""
    inbox_options: SecretStr | None = None
    """JSON object of fsspec storage options of the inbox, such as an account and its key (docs/inbox.md)."""
    outbox_options: SecretStr | None = None
    """The same for the outbox."""
    archive_options: SecretStr | None = None
    """The same for the archive."""
    register_folder: Path = Field(default=DEMO_REGISTER, validation_alias=PREFIX + "REGISTER")
    """Folder with institutions.csv, divisions.csv, contacts.csv, obligations.csv (docs/own-city.md#register-files)."""
    reference: Path | None = None
    """Folder whose files replace ours of the same name, or are added to them (docs/own-city.md#reference-files)."""
    pii_key: SecretStr | None = None
    """Key of the keyed hashes of sensitive values, at least 32 bytes (docs/secrets.md)."""
    archive_key: SecretStr | None = None
    """Keys of the archive, comma-separated, each at least 32 bytes; the first encrypts, all decrypt."""
    mail: SecretStr | None = None
    """Mail server as an Apprise URL, such as `mailtos://user:password@host?from=address`. Unset: Airflow's connection
    `mail`; without either, mails wait."""
    mails_per_minute: int | None = Field(default=None, gt=0)
    """Mails a minute that the server allows, by all processes together. Unset: as fast as it takes them."""
    environment: str | None = None
    """Word at the head of each subject, outside production. Unset: 演示 with the demo's register, else none."""
    first_period: Annotated[Period | None, NoDecode, BeforeValidator(_parse_period)] = None
    """First month that is worked on, YYYY-MM. Unset: the monthly DAG begins with the month before this one."""
    last_period: Annotated[Period | None, NoDecode, BeforeValidator(_parse_period)] = None
    """Last month that is worked on, YYYY-MM. Unset: there is none."""
    replay: bool = False
    """Whether file times count as delivery times and nothing waits: for a demo or a migration."""
    validate_all: bool = False
    """Whether Great Expectations judges every rule, also what screening can answer (docs/performance.md)."""
    processes: int | None = Field(default=None, gt=0)
    """Processes that take in the packages of several institutions and make the workbooks of a close
    (docs/performance.md#several-processes). Unset: as many as there are cores, four at most."""
    settle_seconds: float = Field(default=10.0, ge=0, le=86_400, allow_inf_nan=False)
    """Seconds for which no file of a package may have changed before it is read."""
    max_file_mb: int = Field(default=50, gt=0)
    """Megabytes of a delivered file (docs/intake.md#bad-input)."""
    max_unpacked_mb: int = Field(default=1024, gt=0)
    """Megabytes of a delivered file when it is unpacked."""
    max_rows: int = Field(default=1_000_000, gt=0)
    """Rows of a sheet."""
    max_columns: int = Field(default=200, gt=0)
    """Columns of a sheet."""
    max_cells: int = Field(default=10_000_000, gt=0)
    """Cells of a package, and of the area that they span: bounds the memory that reading takes."""

    @model_validator(mode="before")
    @classmethod
    def _forget_empty(cls, given: dict[str, Any]) -> dict[str, Any]:
        # `env_ignore_empty` does not reach the secrets folder, where a container has a file of every name, to fill in.
        return {name: value for name, value in given.items() if value != ""}

    @classmethod
    def load(cls) -> Settings:
        """Read the environment, the secrets file and the secrets folder; what comes first in this order counts.

        The folder `var` is closed to others where it is open to them.

        Raises:
            SetupError: a value does not parse or names nothing, or the secrets file can be read by others than its
                owner.
        """
        named = os.environ.get(PREFIX + "SECRETS_FILE")
        var = Path(os.environ.get(PREFIX + "VAR") or ROOT / "var")
        close_folder(var)
        secrets_file = Path(named) if named else var / "secrets.env"
        if secrets_file.exists():
            if not secrets_file.is_file():
                raise SetupError(f"{secrets_file} is no file of secrets.")
            if secrets_file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise SetupError(f"{secrets_file} can be read by others than its owner; run: chmod 600 {secrets_file}")
        elif named:
            raise SetupError(f"{PREFIX}SECRETS_FILE names {secrets_file}, which does not exist.")
        # Whoever mounts the folder says who can read it: a container's user does not own what the runtime puts there.
        secrets_folder = os.environ.get(PREFIX + "SECRETS_FOLDER") or None
        if secrets_folder is not None and not Path(secrets_folder).is_dir():
            raise SetupError(f"{PREFIX}SECRETS_FOLDER names {secrets_folder}, which is no folder.")
        try:
            settings = cls(  # type: ignore[call-arg]
                _env_file=secrets_file, _env_file_encoding="utf-8", _secrets_dir=secrets_folder
            )
        except UnicodeDecodeError:
            raise SetupError(f"{secrets_file} is not text in UTF-8.") from None
        except SettingsError as error:
            if isinstance(error.__cause__, OSError):
                raise SetupError(sentence_of(error.__cause__)) from None
            raise SetupError(f"A file in {secrets_folder} is not text in UTF-8.") from None
        except ValidationError as error:
            first = error.errors()[0]
            name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
            raise SetupError(f"{name} is wrong: {first['msg'].removeprefix('Value error, ')}.") from None
        if settings.first_period and settings.last_period and settings.last_period < settings.first_period:
            raise SetupError(f"{PREFIX}LAST_PERIOD lies before {PREFIX}FIRST_PERIOD, so that no month is open.")
        if settings.reference is not None and not os.environ.get(VARIABLE):
            # It stands in the secrets file: this process and those that it starts find the folder by the environment.
            os.environ[VARIABLE] = str(settings.reference)
        return settings

    def require_usable(self, period: Period) -> None:
        """Refuse a period that has not begun, or that this installation does not work on.

        Raises:
            UsageError: it is such a period.
        """
        period.require_begun()
        if self.first_period is not None and period < self.first_period:
            raise UsageError(f"{period} lies before the first period, {self.first_period}.")
        if self.last_period is not None and period > self.last_period:
            raise UsageError(f"{period} lies after the last period, {self.last_period}.")

    @property
    def process_count(self) -> int:
        """Processes that share the work: as named, else one for each core, as far as a collection gains by them."""
        return self.processes or min(os.cpu_count() or 1, _MOST_PROCESSES)

    @property
    def is_demo(self) -> bool:
        """Whether the register is the demo's, whose institutions are invented: all that is shown says 演示数据 then."""
        return self.register_folder.resolve() == DEMO_REGISTER

    @property
    def subject_prefix(self) -> str:
        """What each subject begins with, so that nobody takes an exercise for the real thing; "" in production."""
        environment = self.environment or ("演示" if self.is_demo else None)
        return f"[{environment}] " if environment else ""

    @property
    def inbox_address(self) -> str:
        """Where packages arrive (docs/intake.md#the-package)."""
        return self.inbox or str(self.var / "inbox")

    @property
    def outbox_address(self) -> str:
        """Where receipts and findings workbooks are laid (docs/intake.md#the-receipt)."""
        return self.outbox or str(self.var / "outbox")

    @property
    def archive_address(self) -> str:
        """Where delivered files are kept, encrypted."""
        return self.archive or str(self.var / "archive")

    @property
    def data_docs_address(self) -> str:
        """Where the Data Docs of each month are laid, a folder a month."""
        return self.data_docs or str(self.var / "data-docs")

    @property
    def backups_address(self) -> str:
        """Where the backups of housekeeping are laid."""
        return self.backups or str(self.var / "backups")

    def storage_options(self, name: Literal["inbox", "outbox", "archive"]) -> dict[str, Any]:
        """What fsspec gets beside the address of the inbox, the outbox or the archive.

        Raises:
            SetupError: the setting is no JSON object.
        """
        secret: SecretStr | None = getattr(self, f"{name}_options")
        if secret is None:
            return {}
        try:
            options = json.loads(secret.get_secret_value())
        except ValueError:
            options = None
        if not isinstance(options, dict):
            raise SetupError(f"{PREFIX}{name.upper()}_OPTIONS is not a JSON object.")
        return options

    def reference_file(self, name: str) -> Path:
        """A file of include/reference, or the one that replaces it.

        Raises:
            SetupError: the folder with those that replace is not there; without a word the others would count.
        """
        shipped = INCLUDE / "reference" / name
        return shipped if self.reference is None else found_in(require_folder(self.reference), shipped)

    def require_pii_key(self) -> bytes:
        """The key of the keyed hash of sensitive values.

        Raises:
            SetupError: it is missing or shorter than 32 bytes.
        """
        return _require_secret("PII_KEY", self.pii_key)[0]

    def require_archive_keys(self) -> list[bytes]:
        """The archive's secrets, comma-separated in the setting; the first encrypts, all decrypt.

        Raises:
            SetupError: none is given, or one is shorter than 32 bytes.
        """
        return _require_secret("ARCHIVE_KEY", self.archive_key, several=True)


def _require_secret(name: str, secret: SecretStr | None, *, several: bool = False) -> list[bytes]:
    if secret is None:
        raise SetupError(
            f"{PREFIX}{name} is not set; put it into the environment or the secrets file, or run: make install"
        )
    text = secret.get_secret_value()
    parts = [part.strip().encode() for part in text.split(",")] if several else [text.encode()]
    if any(len(part) < SHORTEST_SECRET for part in parts):
        raise SetupError(f"{PREFIX}{name} is too short; a secret has at least {SHORTEST_SECRET} bytes.")
    return parts
