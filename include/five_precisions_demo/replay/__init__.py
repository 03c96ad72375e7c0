"""`make demo`: six months of the golden city under a real Airflow, from the inbox to both approved bulletins.

It starts a fresh stack in `var/demo`, lets the DAGs catch up with January to June 2019, answers the two approvals as a
person would, by Airflow's API, holds the published figures against the computed ones, and ends everything.
"""
