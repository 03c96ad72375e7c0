"""The bulletin and the notices: results turned into documents and messages (spec/05, Bulletin and Messages)."""
