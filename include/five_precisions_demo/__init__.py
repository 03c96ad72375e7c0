"""The demo beside the product: an invented city, Airflow on one machine, and six months of the city replayed on it.

The product imports nothing of it; it knows only the demo's register, `include/demo_register`.
"""
