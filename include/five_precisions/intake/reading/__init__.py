"""Delivered bytes → sheets → header, columns and rows → typed values; the cover (spec/03, The package)."""
