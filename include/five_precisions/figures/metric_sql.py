"""The statements of what metrics.yaml declares: all figures of a fact in one pass, and the rows behind one of them.

One declaration makes both, so a figure and its proof cannot part (docs/figures.md#facts). Rows are grouped by place and
by bank in grouping sets; those of towns add up to counties and the city. What is counted once is grouped step by step,
and nothing is sorted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, text

from five_precisions.errors import SetupError
from five_precisions.figures.inputs import Parameters, bound_of, statement_errors
from five_precisions.reference import Catalogue, Declared, Fact, MadeFigure, Measure, Ratio, Scope, load_fact
from five_precisions.reference.measures import EVERY, ROWS
from five_precisions.warehouse import load_statement

_NOTHING: Final = "cast(null as numeric)"
_RATIOS: Final = {
    Ratio.PERCENT: "{above} / nullif(cast({below} as numeric), 0) * 100",
    Ratio.GROWTH: "({above} / nullif(cast({below} as numeric), 0) - 1) * 100",
    Ratio.MEAN: "{above} / nullif(cast({below} as numeric), 0)",
}
_IN_ITS_SCOPES: Final = "where counted.scope = any(figure.scopes)"
_NO_CODE: Final = "cast(null as text)"
_PLACES: Final = (Scope.TOWN, Scope.COUNTY)
"""What lies in the city, the smaller first."""
_CODES_OF_PARTS: Final = {
    Scope.CITY: "case when part.is_place then :city end",
    Scope.COUNTY: "left(part.place_code, 6)",
    Scope.TOWN: "part.place_code",
    Scope.BANK: "part.bank_code",
}
"""The subjects that a part of the sums belongs to; a county's code is the head of its towns'."""


def figures_of(catalogue: Catalogue, name: str) -> str:
    """What gives the figures of a statement of the catalogue, or those that it makes from a fact."""
    made = catalogue.made_from(name)
    return figures_sql(load_fact(name), made) if made else load_statement(name).text


def require_usable(connection: Connection, catalogue: Catalogue, name: str, parameters: Parameters) -> None:
    """Hold each figure of a fact alone against the server, so that the one that is wrong is named.

    Args:
        connection: In a transaction with a run's inputs.
        catalogue: What declares the figures.
        name: Of the fact; nothing is asked of a statement that gives figures itself.
        parameters: Of the run.

    Raises:
        SetupError: a figure cannot be made; the sentence names its metric.
    """
    for sentence in figure_faults(connection, catalogue, name, parameters):
        raise SetupError(sentence)


def figure_faults(connection: Connection, catalogue: Catalogue, name: str, parameters: Parameters) -> Iterator[str]:
    """What the server says against each figure of a fact, and against its proof, a sentence each; as above."""
    for figure in catalogue.made_from(name):
        fact = load_fact(name)
        tries = [figures_sql(fact, [figure]), *(evidence_sql(fact, figure.declared, scope) for scope in figure.scopes)]
        for sql in tries:
            statement = text(f"explain {sql}")
            tried = connection.begin_nested()
            try:
                with statement_errors(name):
                    connection.execute(statement, bound_of(connection, statement, parameters | {"code": ""}))
            except SetupError as error:
                yield f"metrics.yaml is wrong at {figure.metric}, made from {name}: {error}"
                break
            finally:
                tried.rollback()


def figures_sql(fact: Fact, figures: Sequence[MadeFigure]) -> str:
    """The statement that gives figures of a fact: scope, scope_code, metric, value, numerator, denominator.

    It reads and binds what the fact does, and `:city`. A subject that has the figures has a row of each.
    """
    return _Figures(fact, figures).statement()


class _Figures:
    """The statement of the figures of a fact, built part by part."""

    def __init__(self, fact: Fact, figures: Sequence[MadeFigure]) -> None:
        self._fact = fact
        self._figures = figures
        wanted = {scope for figure in figures for scope in figure.scopes}
        self._scopes = [scope for scope in fact.scopes if scope in wanted]
        measures = [measure for figure in figures for each in figure.declared.measures for measure in _parts(each)]
        self._sums: dict[str, str] = {}
        """The names of sums and counts, by what gives them: two figures share one."""
        self._counted: dict[str, dict[str, str]] = {}
        """By the column whose values are counted once: conditions, and their names."""
        for measure in measures:
            self._name(measure)

    def _name(self, measure: Measure) -> str:
        """The name of the column that holds a sum or a count."""
        if measure.distinct is None:
            return self._sums.setdefault(_aggregate(measure), f"sum_{len(self._sums) + 1}")
        names = self._counted.setdefault(measure.distinct, {})
        number = list(self._counted).index(measure.distinct) + 1
        return names.setdefault(measure.where or "true", f"once_{number}_{len(names) + 1}")

    def statement(self) -> str:
        """All of it."""
        parts = {"fact": _rows(self._fact), **self._summed(), **self._once(), "counted": self._subjects()}
        # Two parts read the fact, each in its own way.
        head = _with(parts).replace("with fact as (", "with fact as not materialized (", 1)
        figures = ",\n".join(self._figure(figure) for figure in self._figures)
        columns = "counted.scope, counted.scope_code, figure.metric, figure.value, figure.numerator, figure.denominator"
        listed = f"(\nvalues\n{figures}\n) as figure (metric, scopes, value, numerator, denominator)"
        return f"{head}\nselect {columns}\nfrom counted cross join lateral {listed}\n{_IN_ITS_SCOPES}"

    def _summed(self) -> dict[str, str]:
        """What is added: of each bank and smallest place, then of every subject."""
        if not self._sums:
            return {}
        columns = "".join(f",\n{aggregate} as {name}" for aggregate, name in self._sums.items())
        sums = "".join(f",\nsum(part.{name}) as {name}" for name in self._sums.values())
        place, bank = self._place, self._bank
        is_place = f"grouping({bank}) = 1" if bank else "true"
        sets = [f"({code})" for code in (place or "", bank) if code is not None]
        if self._scopes == [Scope.BANK]:
            sets = [f"({bank})"]
        # Without the offset what a fact computes would be computed for each figure that reads it.
        keys = f"{place or _NO_CODE} as place_code, {bank or _NO_CODE} as bank_code, {is_place} as is_place"
        rows = "(select fact.* from fact offset 0) as fact"
        part = f"select {keys}{columns}\nfrom {rows} group by grouping sets ({', '.join(sets)})"
        codes = ", ".join(f"('{scope}', {_CODES_OF_PARTS[scope]})" for scope in self._scopes)
        summed = (
            f"select subject.scope, subject.scope_code{sums}\nfrom part\n"
            f"cross join lateral (values {codes}) as subject (scope, scope_code)\n"
            "where subject.scope_code is not null group by subject.scope, subject.scope_code"
        )
        return {"part": part, "summed": summed}

    @property
    def _place(self) -> str | None:
        """The code of the smallest place that is asked for; None where no place is."""
        asked = [scope for scope in _PLACES if scope in self._scopes]
        return self._fact.code_in(asked[0]) if asked else None

    @property
    def _bank(self) -> str | None:
        return self._fact.code_in(Scope.BANK) if Scope.BANK in self._scopes else None

    def _once(self) -> dict[str, str]:
        """What is counted once: the different values of each subject, and how many they are."""
        parts: dict[str, str] = {}
        for source, (column, names) in self._once_sources().items():
            parts |= self._values(source, column, names)
            counts = "".join(f",\ncount(*) filter (where {name}) as {name}" for name in names.values())
            selects = [
                f"select 'city' as scope, :city as scope_code{counts}\nfrom {source}_of_city"
                if scope is Scope.CITY
                else f"select '{scope}' as scope, code as scope_code{counts}\nfrom {source}_of_{scope}\n"
                "where code is not null\ngroup by code"
                for scope in self._scopes
            ]
            parts[source] = "\nunion all\n".join(selects)
        return parts

    def _once_sources(self) -> dict[str, tuple[str, dict[str, str]]]:
        """The columns whose values are counted once, with the conditions, by the names of what counts them."""
        return {f"once_{number}": each for number, each in enumerate(self._counted.items(), start=1)}

    def _values(self, source: str, column: str, names: dict[str, str]) -> dict[str, str]:
        """The different values of each bank, and of each place: those of towns make those of counties and the city."""
        met = ", ".join(f"bool_or({condition}) as {name}" for condition, name in names.items())
        again = ", ".join(f"bool_or({name}) as {name}" for name in names.values())
        rows = f"from fact\nwhere fact.{column} is not null"
        if "true" not in names:
            rows += " and (" + " or ".join(f"({condition})" for condition in names) + ")"
        parts: dict[str, str] = {}
        below = ""
        for scope in (*_PLACES, Scope.CITY, Scope.BANK):
            if scope not in self._scopes:
                continue
            if below and scope is not Scope.BANK:
                code = "left(code, 6)" if scope is Scope.COUNTY else None
                item, flags, tail = "item", again, f"from {below}"
            else:
                code, item, flags, tail = self._fact.code_in(scope), f"fact.{column}", met, rows
            keys = [code, item] if code else [item]
            named = f"{code} as code, " if code else ""
            below = below if scope is Scope.BANK else f"{source}_of_{scope}"
            parts[f"{source}_of_{scope}"] = f"select {named}{item} as item, {flags}\n{tail}\ngroup by {', '.join(keys)}"
        return parts

    def _subjects(self) -> str:
        """Each subject that has the figures, with what was added and counted of it, and whether it is known."""
        sources = [*(["summed"] if self._sums else []), *self._once_sources()]
        columns = [f"coalesce(summed.{name}, 0) as {name}" for name in self._sums.values()]
        columns += [
            f"coalesce({source}.{name}, 0) as {name}"
            for source, (_, names) in self._once_sources().items()
            for name in names.values()
        ]
        columns += [f"{condition} as {name}" for condition, name in self._conditions().items()]
        joins = "".join(
            f"\nleft join {source} on subject.scope = {source}.scope and subject.scope_code = {source}.scope_code"
            for source in sources
        )
        listed = "".join(f",\n{column}" for column in columns)
        return f"select subject.scope, subject.scope_code{listed}\nfrom {self._holders(sources)} as subject{joins}"

    def _holders(self, sources: Sequence[str]) -> str:
        by_source: dict[str, list[Scope]] = {}
        for scope in self._scopes:
            by_source.setdefault(str(self._fact.held_by(scope)), []).append(scope)
        selects = []
        for held_by, scopes in by_source.items():
            among = ", ".join(f"'{scope}'" for scope in scopes)
            if held_by == ROWS:
                selects += [f"select scope, scope_code from {source}" for source in sources]
            elif held_by == EVERY:
                selects.append(f"select scope, scope_code from subject where scope in ({among})")
            else:
                selects.append(
                    f"select scope, scope_code from reported_subject where report = '{held_by}' and scope in ({among})"
                )
        holders = "(" + (" union " if ROWS in by_source else " union all ").join(selects) + ")"
        if not self._fact.needs_of_any:
            return holders
        there = " and ".join(map(_delivered, self._fact.needs_of_any))
        return f"(select holder.scope, holder.scope_code from {holders} as holder where {there})"

    def _conditions(self) -> dict[str, str]:
        """What must be in for a number to be known, and the names of these conditions."""
        needs = [
            condition
            for figure in self._figures
            for measure in figure.declared.measures
            if (condition := _known(measure)) is not None
        ]
        return {condition: f"known_{number}" for number, condition in enumerate(dict.fromkeys(needs), start=1)}

    def _figure(self, figure: MadeFigure) -> str:
        scopes = ", ".join(f"'{scope}'" for scope in figure.scopes)
        declared = figure.declared
        number = self._number(declared.above)
        if declared.denominator is None or declared.ratio is None:
            return f"('{figure.metric}', array[{scopes}], {number}, {_NOTHING}, {_NOTHING})"
        below = self._number(declared.denominator)
        value = _RATIOS[declared.ratio].format(above=number, below=below)
        return f"('{figure.metric}', array[{scopes}], {value}, {number}, {below})"

    def _number(self, measure: Measure) -> str:
        parts = [f"counted.{self._name(part)}" for part in _parts(measure)]
        number = f"greatest({', '.join(parts)})" if measure.larger_of else parts[0]
        if measure.times is not None:
            number = f"{number} * {measure.times}"
        condition = _known(measure)
        return number if condition is None else f"case when counted.{self._conditions()[condition]} then {number} end"


def evidence_sql(fact: Fact, declared: Declared, scope: Scope, *, is_listed: bool = True) -> str:
    """The statement of the rows behind a figure in a scope; it reads and binds what the fact does, and `:code`.

    Its columns are those of a metric's `evidence` (include/reference/metrics.yaml). Where rows are only added up, and
    not listed, what each is about is left out: to group 300,000 households by it took as long as to find them.
    """
    above, below = declared.above, declared.denominator
    code = fact.code_in(scope)
    place = "" if code is None else f" where {code} = :code"
    once = next((measure.distinct for measure in declared.measures if measure.distinct), None)
    named = once or (fact.about if is_listed else None)
    about = f"cast(fact.{named} as text)" if named else _NO_CODE
    parts = {"fact": f"select fact.* from (\n{fact.sql}\n) as fact{place}"}
    if above.larger_of:
        first, second = (f"coalesce({_aggregate(each)}, 0)" for each in above.larger_of)
        parts["larger"] = f"select {second} > {first} as is_second from fact where fact.counts"
    columns = [
        "fact.report, fact.submission_id, fact.row_number, fact.content",
        f"{about} as counted",
        f"{_meets(above)} as is_above",
        f"{_meets(below) if below else 'false'} as is_below",
        f"{_adds(above)} as above",
        f"{_adds(below) if below else _NOTHING} as below",
    ]
    parts["chosen"] = "select " + ",\n".join(columns) + "\nfrom fact"
    return f"{_with(parts)}\n{load_statement('explanation/evidence').text}"


def _with(parts: Mapping[str, str]) -> str:
    """The parts of a statement, by their names, in front of it."""
    return "with " + ",\n".join(f"{name} as (\n{part}\n)" for name, part in parts.items())


def _rows(fact: Fact) -> str:
    return f"select fact.* from (\n{fact.sql}\n) as fact where fact.counts"


def _parts(measure: Measure) -> Sequence[Measure]:
    return measure.larger_of or (measure,)


def _aggregate(measure: Measure) -> str:
    added = "count(*)" if measure.sum is None else f"sum({measure.sum})"
    return added if measure.where is None else f"{added} filter (where {measure.where})"


def _known(measure: Measure) -> str | None:
    """The condition under which the number of a subject is known; None where it always is."""
    conditions = [
        "(subject.scope, subject.scope_code) in (select reported.scope, reported.scope_code "
        f"from reported_subject as reported where reported.report = '{report}')"
        for report in measure.needs
    ]
    if len(measure.needs) > 1:
        among = ", ".join(f"'{report}'" for report in measure.needs)
        conditions.append(
            "exists (select 1 from present "
            f"where present.report in ({among}) group by present.institution_code "
            f"having count(*) = {len(measure.needs)})"
        )
    conditions += map(_delivered, measure.needs_of_any)
    return " and ".join(conditions) or None


def _delivered(report: str) -> str:
    """Whether anybody delivered the report."""
    return f"exists (select 1 from present where present.report = '{report}')"


def _meets(measure: Measure) -> str:
    """Whether a row stands behind a number: it meets its condition, and adds something where it is one that adds."""
    if measure.larger_of:
        first, second = measure.larger_of
        return f"case when (select larger.is_second from larger) then {_meets(second)} else {_meets(first)} end"
    where = "fact.counts" if measure.where is None else f"coalesce({measure.where}, false)"
    if measure.count is not None:
        return where
    return f"({where} and (not fact.counts or ({measure.distinct or measure.sum}) is not null))"


def _adds(measure: Measure) -> str:
    """What a row adds to a number; NULL where it is only counted, or shows why another row counts."""
    if measure.larger_of:
        first, second = measure.larger_of
        return f"case when (select larger.is_second from larger) then {_adds(second)} else {_adds(first)} end"
    if measure.distinct is not None:
        return _NOTHING
    if measure.sum is None:
        return "case when fact.counts then cast(1 as numeric) end"
    times = "" if measure.times is None else f" * {measure.times}"
    return f"case when fact.counts then cast(({measure.sum}){times} as numeric) end"
