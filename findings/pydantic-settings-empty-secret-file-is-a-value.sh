#!/usr/bin/env bash
# `env_ignore_empty` does not reach the files of `secrets_dir`: an empty one is the value "".
#
# Versions:   pydantic-settings 2.16.3, pydantic 2.12.5
# Behaviour:  with env_ignore_empty=True an empty environment variable, and an empty line of an .env file, leave a setting
#             at its default. An empty file in `secrets_dir`, which is how a container engine mounts a secret that was
#             left blank, does not: the setting becomes "", and a fallback for None is never taken.
# Output seen:
#             empty variable:    None
#             empty .env line:   None
#             empty secret file: ''
# Exit code:  0 while that holds, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pydantic-settings==2.16.3 pydantic==2.12.5
mkdir "$folder/secrets"
: > "$folder/secrets/mail_address"
echo 'MAIL_ADDRESS=' > "$folder/.env"
cat > "$folder/show.py" <<'PYTHON'
import os
import sys

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_ignore_empty=True)
    mail_address: str | None = None


folder = sys.argv[1]
by_line = Settings(_env_file=f"{folder}/.env").mail_address
by_file = Settings(_secrets_dir=f"{folder}/secrets").mail_address
os.environ["MAIL_ADDRESS"] = ""
by_variable = Settings().mail_address
print(f"empty variable:    {by_variable!r}")
print(f"empty .env line:   {by_line!r}")
print(f"empty secret file: {by_file!r}")
sys.exit((by_variable, by_line, by_file) != (None, None, ""))
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
