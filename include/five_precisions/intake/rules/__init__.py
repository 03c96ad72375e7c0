"""What rows are held against: suites of one report, and checks across months, reports and institutions (spec/02)."""
