"""Buttons on a task in Airflow that lead to our pages (docs/desk.md#pages).

Airflow keeps a link's address when the task ends or begins to wait, so a task that never ran has none. Airflow's pages
name its own address as their base: without a slash at its head a link is right wherever Airflow stands on its server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class _OfInstitution(Protocol):
    """What says whose page of which month is meant."""

    institution: str
    period: str | None


class _ReportingLink(BaseOperatorLink):
    """Leads to a place on an institution's page of a month."""

    anchor: ClassVar[str]

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """The address; nothing where the task has not come to know its month."""
        task = cast("_OfInstitution", operator)
        if task.period is None:
            return ""
        return f"five-precisions/reporting/{task.institution}?period={task.period}#{self.anchor}"


class ReceiptLink(_ReportingLink):
    """Leads to the receipts of an institution's packages."""

    name: Any = "回执"
    anchor = "versions"


class FindingsLink(_ReportingLink):
    """Leads to what was found in an institution's packages."""

    name: Any = "问题清单"
    anchor = "findings"


class DraftLink(BaseOperatorLink):
    """Leads to the draft on which a person decides."""

    name: Any = "稿件"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """The address, as the task has rendered it."""
        return str(cast("Any", operator).draft_page)
