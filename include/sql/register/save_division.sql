-- Brings a division to what the files say; written: one division, which the files name.
insert into registry.division (code, name, level, parent_code)
values (:code, :name, :level, :parent_code)
on conflict (code) do update set
    name = excluded.name,
    level = excluded.level,
    parent_code = excluded.parent_code,
    left_files_at = null
