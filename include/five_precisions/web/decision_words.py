"""A decision on a draft or a restatement in the words of ops, as Airflow's buttons say them."""

from __future__ import annotations

from typing import Final

DECISION_WORDS: Final = {"approved": "批准", "rejected": "退回"}
"""By the word of the warehouse."""
