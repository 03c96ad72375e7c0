"""The golden city (spec/04): a seeded, deterministic demo inbox whose June 2019 comes to the published figures."""

from five_precisions.demo.inbox import write_inbox

__all__ = ["write_inbox"]
