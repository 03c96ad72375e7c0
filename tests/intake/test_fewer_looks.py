"""What large files are spared says the same as the look at each cell."""

from __future__ import annotations

import gc
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from five_precisions.intake.reading import xml_parts
from five_precisions.intake.reading.garbage import without_collection
from five_precisions.intake.reading.marks import load_marks
from five_precisions.intake.reading.sheet import Limits
from five_precisions.settings import Settings

PIECES = st.sampled_from([b"<si>", b"<si ", b"<si/>", b"<si\t", b"<sit>", b"</si>", b"<s", b"i>", b"<si", b"<t>x</t>"])


@given(st.lists(PIECES, max_size=40), st.integers(1, 9))
def test_texts_without_a_prefix_are_as_long_as_the_form_of_all_tags_says(pieces: list[bytes], size: int) -> None:
    content = b"".join(pieces)
    with patch.object(xml_parts, "_PIECE", size):
        found = list(xml_parts.text_lengths(content, Limits()))
    assert found == list(xml_parts._lengths(content))


def test_texts_have_the_same_lengths_with_a_prefix() -> None:
    assert list(xml_parts.text_lengths(b"<sst><si><t>ab</t></si><si/></sst>", Limits())) == [14, 7]
    assert list(xml_parts.text_lengths(b"<x:sst><x:si><t>ab</t></x:si><x:si/></x:sst>", Limits())) == [16, 9]


@pytest.mark.parametrize(
    ("key", "may_be_mark"),
    [
        ("B01-201601-00001", False),
        ("B01-201601-0001", False),
        ("12345678901234567890", False),
        ("Page 12 of 345", True),
        ("1234567890123", True),
        ("合计-201601-00001", True),
    ],
)
def test_a_plain_code_is_no_mark_at_first_sight(key: str, may_be_mark: bool) -> None:
    assert load_marks(Settings(_env_file=None)).may_be_in(key) is may_be_mark


@without_collection()
def searched_within(*, fails: bool) -> bool:
    with without_collection():
        pass
    if fails:
        raise ValueError("damaged")
    return gc.isenabled()


def test_the_search_for_cycles_goes_on_after_a_large_sheet_also_where_reading_fails() -> None:
    assert gc.isenabled()
    assert not searched_within(fails=False)
    assert gc.isenabled()
    with pytest.raises(ValueError, match="damaged"):
        searched_within(fails=True)
    assert gc.isenabled()
