-- Brings an institution to what the files say; written: one institution, which the files name.
insert into registry.institution (
    code, name, short_name, kind, division_code, local_legal_person, opened_on, closed_on
)
values (:code, :name, :short_name, :kind, :division_code, :local_legal_person, :opened_on, :closed_on)
on conflict (code) do update set
    name = excluded.name,
    short_name = excluded.short_name,
    kind = excluded.kind,
    division_code = excluded.division_code,
    local_legal_person = excluded.local_legal_person,
    opened_on = excluded.opened_on,
    closed_on = excluded.closed_on,
    left_files_at = null
