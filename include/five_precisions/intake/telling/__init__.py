"""What institutions and ops are told: receipts, findings workbooks, reminders, Data Docs (spec/03, spec/05)."""
