"""`make demo`: six months of the golden city under a real Airflow, from the inbox to both approved bulletins.

It starts a fresh stack in `var/demo` and lets the DAGs catch up with January to June 2019. It answers the two approvals
as a person would, by Airflow's API. Then it holds the published figures against the computed ones, and ends everything.
"""
