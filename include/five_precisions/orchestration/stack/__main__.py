"""`python -m five_precisions.orchestration.stack {up,down,run}`."""

import sys

from five_precisions.orchestration.stack.commands import main

sys.exit(main())
