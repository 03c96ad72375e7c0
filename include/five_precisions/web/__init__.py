"""The pages in the Airflow UI: a FastAPI app (docs/desk.md#pages)."""
