#!/usr/bin/env bash
# Typer's errors of usage are no exceptions of the installed click.
#
# Versions:   typer 0.29.2, click 8.5.1, Python 3.11 to 3.13
# Behaviour:  Typer carries a copy of click. With `standalone_mode=False` a wrong word of the command line is raised as an
#             exception of that copy: `except click.ClickException`, as click's own documentation has it, lets it pass,
#             and the user sees a traceback. `typer.exceptions.TyperException` is what catches it.
# Output seen:
#             raised: typer._click.exceptions.BadParameter
#             a click.ClickException: False
#             a typer.exceptions.TyperException: True
# Exit code:  0 while that holds, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check typer==0.29.2 click==8.5.1
cat > "$folder/show.py" <<'PYTHON'
import sys

import click
import typer
from typer.exceptions import TyperException

app = typer.Typer()


@app.command()
def count(rows: int) -> None:
    print(rows)


try:
    app(["many"], standalone_mode=False)
except Exception as error:
    kind = type(error)
    print(f"raised: {kind.__module__}.{kind.__name__}")
    print(f"a click.ClickException: {isinstance(error, click.ClickException)}")
    print(f"a typer.exceptions.TyperException: {isinstance(error, TyperException)}")
    sys.exit(isinstance(error, click.ClickException) or not isinstance(error, TyperException))
sys.exit(1)
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
