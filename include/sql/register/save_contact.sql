-- Adds a contact; written: one contact.
insert into registry.contact (institution_code, address, role, fallback_address)
values (:institution_code, :address, :role, :fallback_address)
