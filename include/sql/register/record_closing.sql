-- Records the decision on an institution that the files no longer name; written: one decision.
insert into registry.closing (institution_code, closed_on, reason, decided_by)
values (:code, :closed_on, :reason, :decided_by)
