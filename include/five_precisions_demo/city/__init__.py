"""The golden city: a seeded, deterministic demo inbox whose June 2019 comes to the published figures.

See docs/figures.md#golden-city.
"""

from five_precisions_demo.city.inbox import write_inbox

__all__ = ["write_inbox"]
