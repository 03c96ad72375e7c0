#!/usr/bin/env bash
# What a `_CMD` option of Airflow prints is taken whole, with the newline at its end.
#
# Versions:   apache-airflow-core 3.3.2
# Behaviour:  AIRFLOW__CELERY__BROKER_URL_CMD and its like take the output of a command for the value of a sensitive
#             option. The output is not stripped. `cat` of a secret that a text editor saved, or `echo`, leaves a newline
#             at the end of the value: a password or an address with one is another password or address.
#             With AIRFLOW__…_CMD on an option that is not marked sensitive the command is never run and the default
#             counts, without a word.
# Output seen:
#             fernet_key by _CMD: 'not-a-real-key\n'
#             hostname_callable by _CMD: the default
# Exit code:  0 while that holds, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check apache-airflow-core==3.3.2
echo 'not-a-real-key' > "$folder/key"
echo 'socket.gethostname' > "$folder/callable"
cat > "$folder/show.py" <<'PYTHON'
import sys

from airflow.configuration import conf

key = conf.get("core", "fernet_key")
name = conf.get("core", "hostname_callable")
print(f"fernet_key by _CMD: {key!r}")
print(f"hostname_callable by _CMD: {'the default' if name != 'socket.gethostname' else name}")
sys.exit(key != "not-a-real-key\n" or name == "socket.gethostname")
PYTHON
AIRFLOW_HOME="$folder/airflow" \
    AIRFLOW__CORE__FERNET_KEY_CMD="cat $folder/key" \
    AIRFLOW__CORE__HOSTNAME_CALLABLE_CMD="cat $folder/callable" \
    "$folder/venv/bin/python" "$folder/show.py"
