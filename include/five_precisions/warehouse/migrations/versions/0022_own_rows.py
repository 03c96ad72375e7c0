"""A delivery's checks look at the rows that it is linked to: what they rested on last, and the way to such rows."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

OWN_ROWS = """
create table intake.standing_check (
    period text not null references registry.period (period),
    rule text not null,
    digest text not null,
    primary key (period, rule)
);
comment on table intake.standing_check is 'rules across reports and institutions that have been asked about all that a period has on record; without a row, a rule is asked about the whole month';
comment on column intake.standing_check.period is 'the month';
comment on column intake.standing_check.rule is 'the code of the rule';
comment on column intake.standing_check.digest is 'SHA-256 over what it rests on beside the deliveries of the month';

create index linked_loans_household on core.delivered_loans (household_no) where household_no is not null;
create index linked_loans_project on core.delivered_loans (project_no) where project_no is not null;
create index linked_loans_payee on core.delivered_loans (payee_account_hash) where payee_account_hash is not null;
create index linked_households on core.delivered_households (household_no);
create index linked_households_head on core.delivered_households (head_id_hash);
"""

UNDO = """
drop index core.linked_households_head;
drop index core.linked_households;
drop index core.linked_loans_payee;
drop index core.linked_loans_project;
drop index core.linked_loans_household;
drop table intake.standing_check;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(OWN_ROWS)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(UNDO)
