"""What institutions and ops are told: receipts, findings workbooks, reminders, Data Docs (docs/outputs.md#messages)."""
