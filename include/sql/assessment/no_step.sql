-- What is judged first: every assessed bank as it is. One row per bank and indicator.
insert into wanted_step
select
    judged.indicator,
    assessed_bank.code,
    0 as step,
    :round as round
from assessed_bank
cross join jsonb_to_recordset(cast(:indicators as jsonb)) as judged (indicator text)
