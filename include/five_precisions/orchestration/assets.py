"""What the DAGs hand to one another: a closed month, an assessed month."""

from __future__ import annotations

from airflow.sdk import Asset

SUBMISSIONS = Asset("submissions")
"""A month whose submissions are closed; partitions `2019-06`. One producer: `monthly_collection`."""
ASSESSMENT = Asset("assessment")
"""A month that is assessed; partitions `2019-06`. One producer: `monthly_assessment`."""
