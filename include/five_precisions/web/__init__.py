"""The pages in the Airflow UI: a FastAPI app (spec/05, Pages)."""
