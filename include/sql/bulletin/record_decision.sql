-- Records what was decided on a draft; written: one decision.
insert into notify.approval (
    quarter, draft, run_id, shown_digest, decision, decided_by, decided_at, remark, kind, run_ids, published
)
values (
    :quarter, :draft, :run_id, :shown_digest, :decision, :decided_by, :decided_at, :remark, :kind, :run_ids,
    cast(:published as jsonb)
)
