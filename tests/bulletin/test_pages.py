"""The pages of a bulletin as pictures, coarse enough to read as text: a layout that breaks shows here."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image  # matplotlib brings it, which the fonts' wheel needs

from five_precisions.bulletin.document import Bulletin
from five_precisions.bulletin.pdf import render_pages
from tests.bulletin import sample
from tests.stored import RENEW, stored

pytestmark = pytest.mark.slow

PAGES = Path(__file__).parent / "pages"
DOTS_AN_INCH = 40
BLOCK = 6
"""Dots of a side of what becomes one character: two lines of text stay distinct, two letters do not."""
SHADES = " .:-=+*#%@"
BULLETINS: dict[str, Callable[[], Bulletin]] = {
    "twelve-banks": lambda: sample.sample(12),
    "forty-banks": lambda: sample.final(sample.sample(40)),
}
"""Made where they are used: their charts take longer to draw than all tests to collect."""


def coarse(picture: bytes) -> str:
    """A page as lines of characters, the darker the blacker."""
    page = Image.open(io.BytesIO(picture)).convert("L")
    small = page.resize((page.width // BLOCK, page.height // BLOCK), Image.Resampling.BOX)
    # Text is thin: what is half grey on average is nearly black to the eye.
    shades = [SHADES[min(9, (255 - value) * 18 // 255)] for value in small.tobytes()]
    lines = ["".join(shades[start : start + small.width]).rstrip() for start in range(0, len(shades), small.width)]
    return "\n".join(lines) + "\n"


def differ(now: str, then: str) -> bool:
    """Whether two lines of a picture differ by more than one shade: processors round a shade up or down."""
    width = max(len(now), len(then))
    pairs = zip(now.ljust(width), then.ljust(width), strict=True)
    return any(a != b and abs(SHADES.find(a) - SHADES.find(b)) > 1 for a, b in pairs)


@pytest.mark.parametrize("name", BULLETINS)
def test_the_pages_look_as_they_did(name: str) -> None:
    pages = [coarse(page) for page in render_pages(BULLETINS[name](), DOTS_AN_INCH)]
    assert len(pages) >= 4
    # A page without text would be kept as gladly as any other.
    assert min(len(page.strip()) for page in pages) > 200
    found = f"{'─' * 40}\n".join(pages)
    kept = stored(PAGES / f"{name}.txt", found).splitlines()
    assert len(found.splitlines()) == len(kept)
    moved = [
        line for line, (now, then) in enumerate(zip(found.splitlines(), kept, strict=True), 1) if differ(now, then)
    ]
    assert moved == [], f"lines of {name}.txt that look otherwise; if that is meant: {RENEW}=1"
