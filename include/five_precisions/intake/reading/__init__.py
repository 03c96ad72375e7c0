"""Delivered bytes → sheets → header, columns and rows → typed values; the cover (docs/intake.md#the-package)."""
