"""What rows are held against: suites of one report, and checks across months, reports and institutions.

See docs/reports.md.
"""
