"""Screening: which rows of a frame may break an expectation; of the others it surely holds (docs/performance.md).

Great Expectations takes a fifth of a second to say that nothing is wrong, whatever the number of rows. One pass over
the columns says the same from the same JSON in a fraction of it. What may break a rule is left to the library, which
judges and locates it. The pass vouches for nothing that it does not know: another expectation, another argument, a
column of mixed values, a bound of another kind.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas as pd

Mask = Any
"""Array of truth values, one a row of the frame."""
_NUMBERS: Final = frozenset({int, Decimal})
_COMPARABLE: Final = (frozenset({str}), frozenset({bool}), _NUMBERS)
"""Kinds of values whose equality is no question; that of a text and a number, or of 1 and true, is."""


class _UnknownError(Exception):
    """The pass does not know what the library would say."""


@dataclass(frozen=True, slots=True)
class ScreenedColumn:
    """One column of the frame, as the pass looks at it."""

    cells: Any
    """Array, as the frame stores it."""
    is_there: Mask
    """Which rows have a value."""
    kinds: frozenset[type]
    """The exact types of the values that are there."""

    def is_one_of(self, allowed: object) -> Mask:
        """Which rows have one of the values."""
        import numpy as np
        import pandas as pd

        if not isinstance(allowed, list | tuple | set | frozenset) or not allowed:
            raise _UnknownError
        asked = {type(value) for value in allowed}
        is_known = any(self.kinds | asked <= kinds for kinds in _COMPARABLE)
        if not is_known or (self.cells.dtype.kind == "i" and asked != {int}):
            raise _UnknownError
        codes, distinct = pd.factorize(self.cells[self.is_there])
        looked_for = frozenset(allowed)
        found = np.fromiter((cell in looked_for for cell in distinct.tolist()), np.bool_, len(distinct))
        return _among(self.is_there, found[codes])


class Screening:
    """The rows of one frame, screened expectation by expectation."""

    def __init__(self, frame: pd.DataFrame, parameters: Mapping[str, Any]) -> None:
        """Look at a frame; each of its columns is read when an expectation first asks for it.

        Args:
            frame: The typed frame that suites see.
            parameters: Values that suites name as `{"$PARAMETER": name}`.
        """
        self._frame = frame
        self._parameters = parameters
        self._columns: dict[str, ScreenedColumn] = {}
        self._conditions: dict[tuple[object, ...], Mask] = {}

    def rows_in_doubt(self, expectation: Mapping[str, Any]) -> Mask:
        """The rows that may break the expectation: all of them where the pass does not know it.

        Of a value that must be unique, all rows that have it are among them. So the library says of these rows alone
        what it would say of them among all others.
        """
        import numpy as np

        screen = _SCREENS.get(expectation["type"], _unknown)
        kwargs = dict(expectation["kwargs"])
        try:
            rows = self._chosen_by(kwargs.pop("row_condition", None))
            return screen(self, rows, {name: self._resolved(value) for name, value in kwargs.items()})
        except _UnknownError:
            return np.ones(len(self._frame), dtype=np.bool_)

    def column(self, name: object) -> ScreenedColumn:
        """A column of the frame."""
        if not isinstance(name, str) or name not in self._frame.columns:
            raise _UnknownError
        if name not in self._columns:
            self._columns[name] = _screened(self._frame[name])
        return self._columns[name]

    def _resolved(self, value: object) -> Any:
        match value:
            case {"$PARAMETER": str(name)} if name in self._parameters:
                return self._parameters[name]
            case dict():
                raise _UnknownError
        return value

    def _chosen_by(self, condition: object) -> Mask:
        """The rows that a row condition chooses: equality with one value, or with one of several."""
        import numpy as np

        match condition:
            case None:
                return np.ones(len(self._frame), dtype=np.bool_)
            case {"type": "comparison", "column": {"name": name}, "operator": "==", "parameter": value}:
                allowed = [value]
            case {"type": "comparison", "column": {"name": name}, "operator": "IN", "parameter": [*allowed]}:
                pass
            case _:
                raise _UnknownError
        # The library quotes a text for a query; what signs in it become there is not known here.
        if not all(value.isalnum() for value in allowed if isinstance(value, str)):
            raise _UnknownError
        asked = (name, *((type(value), value) for value in allowed))
        if asked not in self._conditions:
            self._conditions[asked] = self.column(name).is_one_of(allowed)
        return self._conditions[asked]


def _screened(series: pd.Series[Any]) -> ScreenedColumn:
    import numpy as np

    is_there = series.notna().to_numpy()
    if series.dtype.kind == "O":
        values = series.to_numpy()
        return ScreenedColumn(values, is_there, frozenset(map(type, values[is_there])))
    match series.dtype.kind:
        case "M" if isinstance(series.dtype, np.dtype):
            return ScreenedColumn(series.to_numpy(), is_there, frozenset({np.datetime64}))
        case "i" if str(series.dtype).casefold() == "int64":
            return ScreenedColumn(series.fillna(0).to_numpy(dtype=np.int64), is_there, frozenset({int}))
    raise _UnknownError


def _unknown(_screening: Screening, _rows: Mask, _kwargs: Mapping[str, Any]) -> Mask:
    raise _UnknownError


def _not_null(screening: Screening, rows: Mask, kwargs: Mapping[str, Any]) -> Mask:
    _require_only(kwargs, "column")
    return rows & ~screening.column(kwargs.get("column")).is_there


def _null(screening: Screening, rows: Mask, kwargs: Mapping[str, Any]) -> Mask:
    _require_only(kwargs, "column")
    return rows & screening.column(kwargs.get("column")).is_there


def _unique(screening: Screening, rows: Mask, kwargs: Mapping[str, Any]) -> Mask:
    _require_only(kwargs, "column")
    column = screening.column(kwargs.get("column"))
    if not column.kinds <= {str}:
        raise _UnknownError
    chosen = rows & column.is_there
    cells = column.cells[chosen]
    seen = Counter(cells)
    return _among(chosen, [seen[cell] > 1 for cell in cells] if len(seen) < len(cells) else False)


def _in_set(screening: Screening, rows: Mask, kwargs: Mapping[str, Any]) -> Mask:
    _require_only(kwargs, "column", "value_set")
    column = screening.column(kwargs.get("column"))
    return rows & column.is_there & ~column.is_one_of(kwargs.get("value_set"))


def _not_in_set(screening: Screening, rows: Mask, kwargs: Mapping[str, Any]) -> Mask:
    _require_only(kwargs, "column", "value_set")
    return rows & screening.column(kwargs.get("column")).is_one_of(kwargs.get("value_set"))


def _between(screening: Screening, rows: Mask, kwargs: Mapping[str, Any]) -> Mask:
    _require_only(kwargs, "column", "min_value", "max_value")
    column = screening.column(kwargs.get("column"))
    low, high = (_bound(kwargs.get(name), column) for name in ("min_value", "max_value"))
    if (low is None and high is None) or (low is not None and high is not None and low > high):
        raise _UnknownError
    import numpy as np

    chosen = rows & column.is_there
    values = column.cells[chosen]
    holds = [_truths(values >= low)] if low is not None else []
    holds += [_truths(values <= high)] if high is not None else []
    return _among(chosen, ~np.logical_and.reduce(holds))


def _bound(value: object, column: ScreenedColumn) -> Any:
    """A bound that the column's values can be compared with: a number, or a day without a time zone."""
    import pandas as pd

    if value is None:
        return None
    if isinstance(value, pd.Timestamp) and value.tz is None and column.cells.dtype.kind == "M":
        return value.to_datetime64()
    if type(value) in {int, float, Decimal} and column.cells.dtype.kind in "Oi" and column.kinds <= _NUMBERS:
        return value
    raise _UnknownError


def _match(screening: Screening, rows: Mask, kwargs: Mapping[str, Any]) -> Mask:
    """Texts that contain nothing of the form, or of any of several, as pandas looks for it."""
    _require_only(kwargs, "column", "regex", "regex_list", "match_on")
    forms = kwargs["regex_list"] if "regex_list" in kwargs else [kwargs.get("regex")]
    column = screening.column(kwargs.get("column"))
    texts_of_forms = [form for form in forms if isinstance(form, str)] if isinstance(forms, list) else []
    if (
        not texts_of_forms
        or texts_of_forms != forms
        or kwargs.get("match_on", "any") != "any"
        or not column.kinds <= {str}
    ):
        raise _UnknownError
    import numpy as np
    import pandas as pd

    chosen = rows & column.is_there
    codes, distinct = pd.factorize(column.cells[chosen])
    texts = pd.Series(distinct, dtype="object").astype(str)
    matches = np.zeros(len(distinct), dtype=np.bool_)
    with warnings.catch_warnings():
        # A form may have groups; nobody asks for what stands in them.
        warnings.simplefilter("ignore", UserWarning)
        for form in texts_of_forms:
            matches |= texts.str.contains(form).to_numpy(dtype=np.bool_)
    if not matches.all():
        # A line feed anywhere in a column has pandas ask another engine: it must be among what the library sees, too.
        matches &= ~texts.str.contains("\n", regex=False).to_numpy(dtype=np.bool_)
    return _among(chosen, ~matches[codes])


def _greater(screening: Screening, rows: Mask, kwargs: Mapping[str, Any]) -> Mask:
    """Where both of two columns have a value, the first is not the greater one."""
    _require_only(kwargs, "column_A", "column_B", "or_equal", "ignore_row_if")
    one, other = screening.column(kwargs.get("column_A")), screening.column(kwargs.get("column_B"))
    is_comparable = one.cells.dtype == other.cells.dtype and (
        one.cells.dtype.kind != "O" or one.kinds | other.kinds <= _NUMBERS
    )
    if not is_comparable or kwargs.get("ignore_row_if") != "either_value_is_missing":
        raise _UnknownError
    chosen = rows & one.is_there & other.is_there
    first, second = one.cells[chosen], other.cells[chosen]
    return _among(chosen, ~_truths(first >= second if kwargs.get("or_equal") is True else first > second))


def _truths(compared: object) -> Mask:
    """What comparing arrays gave, as truth values: of objects it gives objects."""
    import numpy as np

    return np.array(compared, dtype=np.bool_)


def _among(chosen: Mask, selected: Any) -> Mask:
    """The selected ones of the chosen rows, among all rows."""
    rows = chosen.copy()
    rows[chosen] = selected
    return rows


def _require_only(kwargs: Mapping[str, Any], *known: str) -> None:
    if not kwargs.keys() <= {*known}:
        raise _UnknownError


_SCREENS: Final[Mapping[str, Callable[[Screening, Mask, Mapping[str, Any]], Mask]]] = {
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_null": _null,
    "expect_column_values_to_be_unique": _unique,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_not_be_in_set": _not_in_set,
    "expect_column_values_to_be_between": _between,
    "expect_column_values_to_match_regex": _match,
    "expect_column_values_to_match_regex_list": _match,
    "expect_column_pair_values_a_to_be_greater_than_b": _greater,
}
