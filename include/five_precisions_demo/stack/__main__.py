"""`python -m five_precisions_demo.stack {up,down,run}`."""

import sys

from five_precisions_demo.stack.commands import main

sys.exit(main())
