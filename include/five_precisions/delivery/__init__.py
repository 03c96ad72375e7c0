"""Delivery: the outbox, and the one adapter that hands messages to Apprise (spec/05, Messages)."""
