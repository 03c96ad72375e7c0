"""The pages in the Airflow UI: a FastAPI app (docs/outputs.md#pages)."""
