"""The picture of the layers in docs/architecture.md, drawn from import-linter's contracts."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

BEGIN: Final = "<!-- layers: generated -->"
END: Final = "<!-- /layers -->"


def with_picture(document: str, pyproject: Path) -> str:
    """The page with the picture between its two marks.

    Raises:
        LookupError: the marks are not there.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise LookupError(f"The page of the architecture lacks {BEGIN} or {END}.")
    contracts = tomllib.loads(pyproject.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    return f"{before}{BEGIN}\n{draw(contracts)}\n{END}{after}"


def draw(contracts: Sequence[Mapping[str, Any]]) -> str:
    """The contracts as a Mermaid diagram: a box for each layer, an arrow to what it may import, and who knows Airflow.

    Args:
        contracts: As import-linter reads them. Of kind `layers` the boxes; of kind `forbidden` with Airflow the
            packages that may not import it.
    """
    lines = ["```mermaid", "flowchart TB"]
    barred = {
        module
        for contract in contracts
        if contract["type"] == "forbidden" and "airflow" in contract["forbidden_modules"]
        for module in contract["source_modules"]
    }
    knowing: dict[str, list[str]] = {}
    tops: dict[str, str] = {}
    for contract in (each for each in contracts if each["type"] == "layers"):
        for container in contract["containers"]:
            rows = [re.split(r"\s*[|:]\s*", layer) for layer in contract["layers"]]
            names = [f"{container}_{number}" for number in range(len(rows))]
            tops[container] = names[0]
            lines.append(f'    subgraph {container}["{container}"]')
            for name, row in zip(names, rows, strict=True):
                lines.append(f'        {name}["{" · ".join(row)}"]')
                if free := [module for module in row if not {f"{container}.{module}", container} & barred]:
                    knowing[name] = free
            lines += [f"        {above} --> {below}" for above, below in itertools.pairwise(names)]
            lines.append("    end")
    lines += [
        f"    {other} --> {product}"
        for product in tops
        for contract in contracts
        if contract["type"] == "forbidden" and contract["source_modules"] == [product]
        for other in contract["forbidden_modules"]
        if other in tops
    ]
    if knowing:
        lines.append('    airflow(["Airflow"])')
        lines += [f'    {name} -. "{", ".join(modules)}" .-> airflow' for name, modules in knowing.items()]
    return "\n".join([*lines, "```"])
