"""An area of any size, invented from a seed: for tests and benchmarks at a size that the golden city does not have.

Up to 300 institutions and 1,000,000 loans; every report that they owe, as packages in an inbox (docs/intake.md).
"""

from five_precisions_demo.large_area.area import LargeArea, invent_area
from five_precisions_demo.large_area.inbox import write_area
from five_precisions_demo.large_area.size import AreaSize

__all__ = ["AreaSize", "LargeArea", "invent_area", "write_area"]
