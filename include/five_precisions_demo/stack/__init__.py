"""Everything that runs on one machine, under one folder and on 127.0.0.1 only: `make up`, `make down`, and the demo's.

Embedded PostgreSQL with two databases, Airflow's four components, and a mail server that keeps what it gets. One
process owns them, the supervisor: the demo, or `stack run` in the background. It holds `<var>/stack.lock` while it
lives, which the kernel releases however it ends. Whoever comes after a supervisor that was killed ends what it left.

Every process of a stack bears its mark in the environment and belongs to a session of its own. So none is missed,
whatever it calls itself and whoever its parent has become.
"""

from five_precisions_demo.stack.commands import parse_site, print_login
from five_precisions_demo.stack.environment import forget_foreign_environment
from five_precisions_demo.stack.interruption import InterruptedByUserError, Interruption
from five_precisions_demo.stack.site import APPROVER, HOST, OPS, OPS_ADDRESS, PORT, Site
from five_precisions_demo.stack.supervision import ComponentError, Stack

__all__ = [
    "APPROVER",
    "HOST",
    "OPS",
    "OPS_ADDRESS",
    "PORT",
    "ComponentError",
    "InterruptedByUserError",
    "Interruption",
    "Site",
    "Stack",
    "forget_foreign_environment",
    "parse_site",
    "print_login",
]
