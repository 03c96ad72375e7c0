-- Adds a contact that the files do not name; written: one contact.
insert into registry.contact (institution_code, address, role, fallback_address, added_by, added_at, reason)
values (:institution_code, :address, :role, :fallback_address, :added_by, clock_timestamp(), :reason)
