"""What of an assessed month ops should look at (docs/outputs.md#what-ops-are-told)."""

from __future__ import annotations

from sqlalchemy import Engine

from five_precisions.period import Period
from five_precisions.warehouse import load_statement


def describe_assessment(engine: Engine, period: Period) -> list[str]:
    """A sentence for each matter of the month's newest run that wants a human; nothing where there is no run."""
    with engine.connect() as connection:
        found = connection.execute(load_statement("bulletin/assessment_summary"), {"period": str(period)}).first()
    if found is None:
        return []
    sentences = []
    if found.unranked:
        sentences.append(f"{found.run_id} could not rank {', '.join(found.unranked)}: a report is missing.")
    if found.grave_cases:
        sentences.append(
            f"{found.run_id} found cases of level high that are new or worse: {', '.join(found.grave_cases)}; "
            "see: five-precisions cases list --level high"
        )
    return sentences
