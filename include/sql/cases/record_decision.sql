-- Records that a case is set aside until a day, or taken back; written: one decision.
insert into registry.case_set_aside (case_id, from_period, until, reason, decided_by)
values (:case_id, :from_period, :until, :reason, :decided_by)
