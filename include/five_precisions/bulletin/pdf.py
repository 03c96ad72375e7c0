"""The bulletin as PDF, set by Typst in the form of an official document (docs/outputs.md#bulletin).

The document goes to the template as data, in a virtual file of JSON: what it says is never read as Typst's markup, and
nothing is written to disk. The same bulletin gives the same bytes on every machine: only the fonts of our own wheel are
used, and the time in the file is the day of issue.
"""

from __future__ import annotations

import json
import logging
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from functools import cache
from itertools import count
from typing import Any, Literal

import typst

from five_precisions.bulletin.document import Block, Bulletin, Cell, Chart, Figure, Heading, Paragraph, Table
from five_precisions.bulletin.fonts import SANS, SERIF, font_folder
from five_precisions.display import DEMO_MARK, Form, shown
from five_precisions.errors import RefusedError, SetupError
from five_precisions.own_files import found
from five_precisions.settings import INCLUDE

TEMPLATE = INCLUDE / "templates" / "bulletin" / "bulletin.typ"
HEAD = "金融精准扶贫工作通报"
"""What stands in red below the issuer."""
RESTATED = "*"
SIZES = (14, 13.5, 13, 12.5, 12)
"""Sizes of the body's letters in points: the largest is taken that keeps it within the pages it is to have."""
MOST_BODY_PAGES = 6
"""Pages without the appendices; a large area or a long remark may take more at the least size.

See docs/field.md#the-people.
"""
STAND_IN = "〓"
"""The printers' sign for a character that the fonts lack."""
STAND_IN_NOTE = f"{STAND_IN}：字库中没有的字。"

_STANDARDS: list[typst.PDFStandard] = ["ua-1", "a-2a"]  # for screen readers, and for the archive
_NO_GLYPH = "could not be displayed with font"
_CHINA = timezone(timedelta(hours=8))  # Typst wants a fixed offset; a named zone is none
_log = logging.getLogger(__name__)


def render_pdf(bulletin: Bulletin) -> bytes:
    """The bulletin as a tagged PDF/A-2a with selectable text and embedded fonts; same bulletin, same bytes.

    A character that the fonts lack (an emoji in a remark) is set as 〓, and a footnote says so.

    Raises:
        SetupError: the fonts are missing, or the installation's own template is wrong.
        RefusedError: Typst cannot set the document.
    """
    return _typeset(bulletin)[1]


def render_pages(bulletin: Bulletin, ppi: float = 110) -> list[bytes]:
    """Each page as a PNG picture, at so many pixels an inch.

    Raises:
        SetupError: the fonts are missing, or the installation's own template is wrong.
        RefusedError: Typst cannot set the document.
    """
    document, _ = _typeset(bulletin)
    return _compiled(_template(), document, "png", bulletin.issued_on, ppi=ppi)


def _typeset(bulletin: Bulletin) -> tuple[dict[str, Any], bytes]:
    """The document as the template reads it, every character of it printable; and the PDF.

    Only setting the document shows whether the fonts have all it needs. So it is set as it is, which nearly always
    works. If it does not, it is set once more with stand-ins.
    """
    document = _as_data(bulletin)
    template = _template()
    try:
        document["size"] = next(
            (size for size in SIZES[:-1] if _body_pages(template, document | {"size": size}) <= MOST_BODY_PAGES),
            SIZES[-1],
        )
        try:
            return document, _compiled(template, document, "pdf", bulletin.issued_on)[0]
        except typst.TypstError as error:
            if _NO_GLYPH not in error.message:
                raise
            missing = _missing_characters(document, bulletin.issued_on)
            _log.warning("The fonts lack %s: set as %s.", ", ".join(f"U+{ord(c):04X}" for c in missing), STAND_IN)
            document = _with_stand_ins(document, missing)
            document["footnotes"] = [*document["footnotes"], STAND_IN_NOTE]
            return document, _compiled(template, document, "pdf", bulletin.issued_on)[0]
    except typst.TypstError as error:
        if found(TEMPLATE) != TEMPLATE:
            raise _does_not_set(bulletin, error.message) from error
        raise RefusedError(f"The bulletin of {bulletin.quarter} cannot be set: {error.message}") from error
    except RuntimeError as error:
        # What is no Typst at all, or does not say where the body ends.
        if found(TEMPLATE) == TEMPLATE:
            raise
        raise _does_not_set(bulletin, str(error)) from error


def _does_not_set(bulletin: Bulletin, reason: str) -> SetupError:
    """What to raise where the installation's own layout is wrong."""
    words = " ".join(reason.split()).rstrip(".")
    return SetupError(f"{found(TEMPLATE)} does not set the bulletin of {bulletin.quarter}: {words}.")


def layout_faults() -> Iterator[str]:
    """What is wrong with the installation's own layout of the bulletin, as one without sections shows it."""
    if found(TEMPLATE) == TEMPLATE:
        return
    nothing = Bulletin(
        quarter="2019-Q1",
        issuer="",
        number="",
        title="通报",
        addressees="",
        introduction=Paragraph("", (), ()),
        sections=(),
        appendices=(),
        issued_on=date(2019, 1, 1),
        footnotes=(),
        is_demo=False,
    )
    try:
        render_pdf(nothing)
    except SetupError as error:
        yield str(error)


def _template() -> bytes:
    """Typst's template: ours, or the one that replaces it.

    Raises:
        SetupError: it cannot be read.
    """
    path = found(TEMPLATE)
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}.") from None


@cache
def _fonts() -> typst.Fonts:
    """Our fonts and no others; found once, read as far as needed.

    Raises:
        SetupError: a font that the template names is not among them.
    """
    folder = font_folder()
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder)])
    if missing := {SERIF, SANS} - set(fonts.families()):
        raise SetupError(f"The fonts {', '.join(sorted(missing))} are missing in {folder}; run: make install")
    return fonts


def _compiled(
    template: bytes,
    document: dict[str, Any],
    form: Literal["pdf", "png"],
    issued_on: date,
    ppi: float | None = None,
) -> list[bytes]:
    """The document in a form: one file, or one for each page."""
    made, warnings = _compiler(template, document).compile_with_warnings(
        format=form,
        ppi=ppi,
        pdf_standards=_STANDARDS if form == "pdf" else [],
        timestamp=datetime.combine(issued_on, time(), _CHINA),
    )
    for warning in warnings:
        _log.warning("Typst: %s", warning.message)
    return made if isinstance(made, list) else [made or b""]


def _body_pages(template: bytes, document: dict[str, Any]) -> int:
    """How many pages the document has before its appendices."""
    found = _compiler(template, document).query("<body-end>", field="value", one=True)
    return int(json.loads(found))


def _compiler(template: bytes, document: dict[str, Any]) -> typst.Compiler:
    # One for each document: they cost milliseconds, and calls in threads do not meet in one.
    files = {"main": template, "bulletin.json": json.dumps(document, ensure_ascii=False).encode()}
    # Files by name are taken too; the stub does not say so.
    return typst.Compiler(input=files, font_paths=_fonts(), ignore_system_fonts=True)  # type: ignore[type-var]


def _missing_characters(document: dict[str, Any], issued_on: date) -> list[str]:
    """The characters of the document that none of our fonts has, each tried by itself."""
    probe = (
        '#set document(title: "-")\n'
        f'#set text(font: ("{SERIF}", "{SANS}"), fallback: false)\n'
        '#json("bulletin.json").text'
    ).encode()
    missing = []
    for character in sorted(set(json.dumps(document, ensure_ascii=False))):
        try:
            _compiled(probe, {"text": character}, "pdf", issued_on)
        except typst.TypstError:
            missing.append(character)
    return missing


def _with_stand_ins(value: Any, missing: list[str]) -> Any:
    """The data, each character that is missing replaced."""
    if isinstance(value, str):
        return value.translate(dict.fromkeys(map(ord, missing), STAND_IN))
    if isinstance(value, list):
        return [_with_stand_ins(item, missing) for item in value]
    if isinstance(value, dict):
        return {key: _with_stand_ins(item, missing) for key, item in value.items()}
    return value


def _as_data(bulletin: Bulletin) -> dict[str, Any]:
    """The document as the template reads it: strings, as they are to be seen; tables and charts numbered."""
    numbers: dict[str, Iterator[int]] = {kind: count(1) for kind in ("表", "图", "附表")}
    issued = bulletin.issued_on
    return {
        "title": _clean(bulletin.title),
        "issuer": _clean(bulletin.issuer),
        "head": HEAD,
        "number": _clean(bulletin.number),
        "keywords": [HEAD, bulletin.quarter, _clean(bulletin.number)],
        "description": f"{_clean(bulletin.issuer)}{_clean(bulletin.number)}",
        "year": issued.year,
        "month": issued.month,
        "day": issued.day,
        "date": f"{issued.year}年{issued.month}月{issued.day}日",
        "is_demo": bulletin.is_demo,
        "size": SIZES[-1],
        "watermark": DEMO_MARK,
        "addressees": _clean(bulletin.addressees).rstrip(":：") + "：",
        "introduction": _clean(bulletin.introduction.text),
        "sections": [
            {
                "title": _clean(section.title),
                "blocks": [_block_as_data(block, numbers) for block in section.blocks],
            }
            for section in bulletin.sections
        ],
        "appendices": [_table_as_data(table, f"附表{next(numbers['附表'])}") for table in bulletin.appendices],
        "footnotes": [_clean(note) for note in bulletin.footnotes],
    }


def _block_as_data(block: Block, numbers: dict[str, Iterator[int]]) -> dict[str, Any]:
    match block:
        case Paragraph():
            return {"kind": "paragraph", "text": _clean(block.text)}
        case Heading():
            return {"kind": "heading", "text": _clean(block.text)}
        case Table():
            return _table_as_data(block, f"表{next(numbers['表'])}")
        case Chart():
            return {
                "kind": "chart",
                "label": f"图{next(numbers['图'])}",
                "title": _clean(block.title),
                "description": _clean(block.description),
                "svg": block.svg,
                "is_narrow": block.is_narrow,
            }


def _table_as_data(table: Table, label: str) -> dict[str, Any]:
    return {
        "kind": "table",
        "label": label,
        "title": _clean(table.title),
        "unit": f"单位：{_clean(table.unit)}" if table.unit else "",
        "columns": [
            {
                "header": _clean(column.header),
                "group": _clean(column.group) if column.group else None,
                "is_text": column.form is Form.TEXT,
            }
            for column in table.columns
        ],
        "rows": [[_cell_as_data(cell) for cell in row] for row in table.rows],
        "has_total": table.has_total,
        "note": _clean(table.note),
    }


def _cell_as_data(cell: Cell) -> dict[str, Any]:
    """A cell's text; the mark of a restated figure apart, as it hangs beside the digits."""
    if isinstance(cell, Figure):
        return {"text": shown(cell.value, cell.form), "mark": RESTATED if cell.restated else ""}
    return {"text": _clean(shown(cell)), "mark": ""}


def _clean(text: str) -> str:
    """The text without characters that nobody sees: control and format characters, which no font has."""
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
