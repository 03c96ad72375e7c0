"""Airflow: operators, triggers, assets, notifiers; only here and in web may airflow be imported."""
