"""One table and one chart of all kept results, and whether they have grown worse (`make bench`, `make nightly`).

`results_table.py` prints the table of benchmarks/results and draws the chart. `results_table.py --against NAME OTHER`
compares two kept runs, and fails where a ratio to a peer is more than 1.3 times the kept one.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, Final

import altair as alt
import vl_convert
from report import RESULTS, Result
from rich.console import Console
from rich.table import Table

WORSE: Final = 1.3
"""A ratio that has grown by more than this is no chance."""


def main() -> None:
    """Print and draw what is kept, or hold one run against another."""
    parser = argparse.ArgumentParser(description="The table of all kept results.")
    parser.add_argument("--against", nargs=2, metavar=("KEPT", "NEW"), help="names of two results to compare")
    asked = parser.parse_args()
    if asked.against:
        _compare(*asked.against)
        return
    kept = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))}
    for name, run in kept.items():
        _print(name, run)
    _draw(kept)


def results_of(run: dict[str, Any]) -> list[Result]:
    """The results of a kept run."""
    return [Result(**{name: value for name, value in each.items() if name != "ratio"}) for each in run["results"]]


def _print(name: str, run: dict[str, Any]) -> None:
    machine = f"{run['machine']['cores']} cores, Python {run['machine']['python']}, commit {run['commit']}"
    table = Table(f"{name}: {run['of']} ({machine})", box=None)
    for header in ("value", "unit", "peer's", "ratio", "limit", ""):
        table.add_column(header, justify="right")
    for result in results_of(run):
        numbers = [result.peer_value, result.ratio, result.limit]
        verdict = {None: "", True: "met", False: "missed"}[result.is_met]
        shown = ["" if number is None else f"{number:.3g}" for number in numbers]
        table.add_row(result.name, f"{result.value:,.3g}", result.unit, *shown, verdict)
    Console(width=160).print(table)


def _draw(kept: dict[str, dict[str, Any]]) -> None:
    """Every figure with a limit, as a share of it: left of 1 it is met."""
    values = [
        {"figure": result.name, "share": result.compared / result.limit, "is_met": result.is_met}
        for run in kept.values()
        for result in results_of(run)
        if result.limit
    ]
    if not values:
        return
    bars = alt.Chart(alt.InlineData(values=values)).mark_bar()
    bars = bars.encode(
        x=alt.X("share:Q", title="share of the limit; up to 1 it is met"),
        y=alt.Y("figure:N", sort=None, title=None, axis=alt.Axis(labelLimit=500)),
        color=alt.Color("is_met:N", legend=None, scale=alt.Scale(domain=[True, False], range=["#2f6f4f", "#b03a2e"])),
    )
    line = alt.Chart(alt.InlineData(values=[{"limit": 1}])).mark_rule(strokeDash=[4, 3]).encode(x="limit:Q")
    svg = vl_convert.vegalite_to_svg((bars + line).to_dict())
    (RESULTS / "limits.svg").write_text(svg, encoding="utf-8")


def _compare(kept_name: str, new_name: str) -> None:
    kept, new = (
        {each.name: each for each in results_of(json.loads(path.read_text(encoding="utf-8")))}
        for path in (RESULTS / f"{kept_name}.json", RESULTS / f"{new_name}.json")
    )
    worse = [
        f"{name}: {result.ratio:.3g} times {result.peer}, kept {kept[name].ratio:.3g}"
        for name, result in new.items()
        if result.ratio is not None and name in kept and result.ratio > WORSE * (kept[name].ratio or result.ratio)
    ]
    compared = [name for name, result in new.items() if result.ratio is not None and name in kept]
    if not compared:
        sys.exit(f"{kept_name} and {new_name} have no ratio in common.")
    if worse:
        sys.exit("Slower than kept:\n" + "\n".join(worse))
    print(f"{len(compared)} ratios, none more than {WORSE} times the kept one")


if __name__ == "__main__":
    main()
