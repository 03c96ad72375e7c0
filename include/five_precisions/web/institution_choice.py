"""The institution, or the kind of institutions, that an address names (docs/desk.md#pages)."""

from __future__ import annotations

from typing import Final

from five_precisions.register import Institution, InstitutionKind, Register
from five_precisions.web.desk import Desk
from five_precisions.web.page import Choice, NotThereError

INSTITUTION_KIND_WORDS: Final = {
    InstitutionKind.BANK: "银行机构",
    InstitutionKind.COUNTY_OFFICE: "县扶贫办",
    InstitutionKind.CENTRE: "中心支行",
}


def find_institution(desk: Desk, register: Register, code: str, folder: str = "institutions") -> Institution:
    """The institution of a code.

    Args:
        desk: Of the request.
        register: That is asked.
        code: Of the institution.
        folder: Where the pages lie that are offered instead.

    Raises:
        NotThereError: there is none.
    """
    institution = register.institution(code)
    if institution is None:
        there = [Choice(each.short_name, desk.href(f"{folder}/{each.code}")) for each in register.institutions]
        raise NotThereError("没有这个机构。", there)
    return institution


def require_kind(desk: Desk, kind: str) -> None:
    """Refuse a kind of institutions that there is not; nothing asks for all.

    Raises:
        NotThereError: there is none.
    """
    if kind and kind not in list(InstitutionKind):
        choices = [Choice(words, desk.here(kind=each)) for each, words in INSTITUTION_KIND_WORDS.items()]
        raise NotThereError("没有这类机构。", choices)
