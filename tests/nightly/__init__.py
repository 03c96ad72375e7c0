"""Tests that take too long for every day: `make nightly` runs them."""
