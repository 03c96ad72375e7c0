"""Where the bulletin's fonts are: the same files, and so the same look, on every machine."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

from five_precisions.errors import SetupError

SERIF = "Noto Serif CJK SC"
SANS = "Noto Sans CJK SC"
"""Both under the SIL Open Font License. The wheel also carries SimHei, whose licence is not free: it is never named."""


@cache
def font_folder() -> Path:
    """The folder of the wheel `mplfonts`; the package itself is not imported, as that pulls in matplotlib.

    Raises:
        SetupError: the wheel is not installed, or carries no fonts.
    """
    spec = importlib.util.find_spec("mplfonts")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / "fonts"
        if folder.is_dir():
            return folder
    raise SetupError("The Chinese fonts are missing: the package mplfonts is not installed; run: make install")
