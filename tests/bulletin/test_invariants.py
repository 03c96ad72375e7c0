"""What stops a bulletin: each invariant, broken by hand (docs/outputs.md#bulletin)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from five_precisions.bulletin.compose import compose
from five_precisions.bulletin.document import Block, Bulletin, Figure, Paragraph, Table, TableColumn
from five_precisions.bulletin.invariants import UnsoundBulletinError, find_unsound, require_sound
from five_precisions.bulletin.results import BoardPlace
from five_precisions.display import Form
from tests.bulletin.small_quarter import CITY, JUNE, small_quarter

RESULTS = small_quarter()


@pytest.fixture(scope="module")
def bulletin() -> Bulletin:
    return compose(RESULTS)


def with_block(bulletin: Bulletin, block: Block) -> Bulletin:
    first = bulletin.sections[0]
    return replace(bulletin, sections=(replace(first, blocks=(*first.blocks, block)), *bulletin.sections[1:]))


def test_a_sound_bulletin_passes(bulletin: Bulletin) -> None:
    assert find_unsound(bulletin, RESULTS) == []
    require_sound(bulletin, RESULTS)


def test_categories_that_do_not_add_up(bulletin: Bulletin) -> None:
    unsound = small_quarter({("loan_balance_education", "bank", "B01", JUNE): "50.01"})
    assert find_unsound(bulletin, unsound) == ["loan_balance_personal of bank B01 is not the sum of its categories"]


def test_banks_that_do_not_add_up_to_the_city(bulletin: Bulletin) -> None:
    unsound = small_quarter({("microcredit_ytd_amount", "bank", "B02", JUNE): "15.99"})
    assert find_unsound(bulletin, unsound) == ["microcredit_ytd_amount of the banks does not add up to the city's"]


def test_ranks_that_the_scores_do_not_give(bulletin: Bulletin) -> None:
    standing = RESULTS.at_end.assessments[str(JUNE)]
    swapped = {"B01": replace(standing["B01"], rank=2), "B02": replace(standing["B02"], rank=1)}
    swapped_results = replace(RESULTS.at_end, assessments={**RESULTS.at_end.assessments, str(JUNE): swapped})
    assert find_unsound(bulletin, replace(RESULTS, at_end=swapped_results)) == [
        "bank B01 has rank 2 where its score gives 1",
        "bank B02 has rank 1 where its score gives 2",
    ]


def test_a_shared_rank_is_followed_by_a_gap(bulletin: Bulletin) -> None:
    places = [BoardPlace("board", code, code, Decimal(value), rank, None) for code, value, rank in (
        ("a", 9, 1), ("b", 8, 2), ("c", 8, 2), ("d", 7, 4),
    )]  # fmt: skip
    unsound = replace(RESULTS, at_end=replace(RESULTS.at_end, boards={"board": places}))
    assert find_unsound(bulletin, unsound) == []
    unsound = replace(
        RESULTS, at_end=replace(RESULTS.at_end, boards={"board": [*places[:3], replace(places[3], rank=3)]})
    )
    assert find_unsound(bulletin, unsound) == ["the board board is no proper ranking at d"]


def test_a_number_in_the_text_that_is_no_figure(bulletin: Bulletin) -> None:
    changed = with_block(bulletin, Paragraph("全市共有12家银行。"))
    assert find_unsound(changed, RESULTS) == [
        "the text “全市共有12家银行。…” holds the number 12, which is no figure of the results"
    ]


def test_dates_and_names_with_digits_are_no_figures(bulletin: Bulletin) -> None:
    institutions = {"B01": replace(RESULTS.at_end.institutions["B01"], short_name="360银行")}
    renamed = replace(
        RESULTS, at_end=replace(RESULTS.at_end, institutions={**RESULTS.at_end.institutions, **institutions})
    )
    changed = with_block(bulletin, Paragraph("截至2019年6月30日，360银行居前；1—6月、2019年第二季度、上升12位。"))
    assert find_unsound(changed, renamed) == []


def test_figures_that_a_date_happens_to_hold(bulletin: Bulletin) -> None:
    one = Figure(1, Form.COUNT)
    changed = with_block(bulletin, Paragraph("甲行1项（自2019年4月）、乙行1项（自2019年1月）。", (one, one)))
    assert find_unsound(changed, RESULTS) == []
    changed = with_block(bulletin, Paragraph("甲行（自2019年1月）。", (one,)))
    assert find_unsound(changed, RESULTS) == ["the text “甲行（自2019年1月）。…” does not show 1 as it says"]


def test_a_figure_that_its_sentence_does_not_show(bulletin: Bulletin) -> None:
    figure = RESULTS.figure("loan_balance", "city", CITY)
    changed = with_block(bulletin, Paragraph("余额为1,001.00万元。", (figure,)))
    wrong = find_unsound(changed, RESULTS)
    assert "the text “余额为1,001.00万元。…” does not show 1,000.00 as it says" in wrong
    assert any("holds the number 1,001.00" in each for each in wrong)


def test_text_and_table_that_differ(bulletin: Bulletin) -> None:
    figure = replace(RESULTS.figure("loan_balance", "city", CITY), value=Decimal("1000.01"))
    changed = with_block(bulletin, Paragraph(f"余额为{figure}万元。", (figure,)))
    assert find_unsound(changed, RESULTS) == [f"text and table differ in loan_balance of {CITY}"]


def test_a_figure_that_no_table_shows(bulletin: Bulletin) -> None:
    figure = replace(RESULTS.figure("households_able", "bank", "B01"), value=7)
    changed = with_block(bulletin, Paragraph(f"户数为{figure}。", (figure,)))
    assert find_unsound(changed, RESULTS) == ["no table shows households_able of B01, which the text tells"]


def test_a_figure_that_has_no_value(bulletin: Bulletin) -> None:
    changed = with_block(bulletin, Paragraph("逾期率为—%。"))
    assert find_unsound(changed, RESULTS) == ["the text “逾期率为—%。…” tells a figure that has no value"]


def test_tables_that_differ(bulletin: Bulletin) -> None:
    figure = RESULTS.figure("loan_balance", "city", CITY)
    table = Table(
        code="more",
        title="又一表",
        unit="",
        columns=(TableColumn("值"),),
        rows=((Figure(Decimal(7), figure.form, figure.source),),),
    )
    assert find_unsound(with_block(bulletin, table), RESULTS)[0] == (
        f"tables show loan_balance of {CITY} as 1,000.00 and 7.00"
    )


@pytest.mark.parametrize(
    "secret",
    [
        "441702199001011234",
        "44170219900101123X",
        "ID441702199001011234",
        "441702 19900101 1234",
        "138 0013 8000",
        "13812345678",
        "6222021234567890123",
    ],
)
def test_a_number_as_long_as_an_id(bulletin: Bulletin, secret: str) -> None:
    found = "it holds a number as long as an ID, a phone or an account"
    for block in (
        Paragraph(f"户主{secret}。", quotes=(secret,)),
        Table(code="more", title="又一表", unit="", columns=(TableColumn("户主"),), rows=((secret,),)),
        replace(bulletin.charts[0], draw=lambda: f"<svg><text>{secret}</text></svg>"),
    ):
        assert find_unsound(with_block(bulletin, block), RESULTS) == [found]


def test_what_is_wrong_is_named_in_one_sentence(bulletin: Bulletin) -> None:
    changed = with_block(bulletin, Paragraph("全市共有12家银行。"))
    with pytest.raises(UnsoundBulletinError, match=r"^The bulletin of 2019-Q2 was stopped: the text .* results\.$"):
        require_sound(changed, RESULTS)
