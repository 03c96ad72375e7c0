-- Records a run of a month, which becomes the current one; written: one run.
insert into mart.run (
    run_id, period, revision, closed_at, input_digest, scheme_version, scheme_digest, scorecard_version,
    scorecard_digest, code_version, statements_digest, current
)
values (
    :run_id, :period, :revision, clock_timestamp(), :input_digest, :scheme_version, :scheme_digest, :scorecard_version,
    :scorecard_digest, :code_version, :statements_digest, true
)
