-- Records that a draft was shown; written: one row each time.
insert into notify.shown_draft (quarter, draft, digest, title, run_id, checks)
values (:quarter, :draft, :digest, :title, :run_id, :checks)
