"""Each template that is a mail is held against a stored mail, and what the checks of mails find.

See docs/outputs.md#messages.
"""

from __future__ import annotations

import pytest

from tests.bulletin.test_whole_mails import TEMPLATES as OF_BULLETIN
from tests.mails import Mail, assert_made_for_plain_clients, assert_reads_as_text, contrast, illegible, mail_templates
from tests.receipts.test_whole_mails import TEMPLATES as OF_INTAKE

SOUND = "".join(f"<p>这是第{number}行，写得清楚，读得明白，没有多余的颜色。</p>\n" for number in range(20))


def sample(html: str) -> Mail:
    return Mail("主题", SOUND + html, frozenset())


def test_every_template_that_is_a_mail_is_held_against_a_stored_one() -> None:
    assert len(mail_templates()) >= 7
    assert mail_templates() == OF_BULLETIN | OF_INTAKE


@pytest.mark.parametrize(
    "html",
    [
        "<script>1</script>",
        "<style>p{margin:0}</style>",
        '<p class="x">字</p>',
        '<img src="cid:1">',
        '<table background="x.png"></table>',
        "<p style=\"background:#ffffff url('x.png')\">字</p>",
        '<a href="https://example.test/">字</a>',
        '<a href="//example.test/">字</a>',
        "<p onclick='x()'>字</p>",
        "字" * 33_000,
    ],
)
def test_what_plain_clients_do_not_bear_is_found(html: str) -> None:
    assert_made_for_plain_clients(sample(""))
    with pytest.raises(AssertionError):
        assert_made_for_plain_clients(sample(html))


@pytest.mark.parametrize(
    ("html", "faint"),
    [
        ('<p style="color:#222222">字</p>', ["字: 1.18 in dark mode"]),
        ('<p style="color:#eeeeee">字</p>', ["字: 1.16 in light mode"]),
        ('<p style="color:#222222;background:#fdf3e1">字</p>', []),
        ('<p style="background:#fdf3e1">字</p>', ["字: 1.10 in dark mode"]),
        (
            '<div style="background:#fdf3e1"><p style="color:#999999">字</p></div>',
            ["字: 2.59 in light", "字: 2.59 in dark"],
        ),
        (
            '<div style="opacity:0.5"><p style="opacity:0.5">字</p></div>',
            ["字: 1.83 in light", "字: 2.22 in dark"],
        ),
        ('<p style="color:#222222;display:none">字</p>', []),
    ],
)
def test_what_cannot_be_read_is_found(html: str, faint: list[str]) -> None:
    found = illegible(SOUND + html)
    assert bool(found) is bool(faint)
    assert all(any(each.startswith(start) for each in found) for start in faint), found


def test_contrast_is_counted_as_wcag_does() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((0x77, 0x77, 0x77), (255, 255, 255)) == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("html", ["<p>&amp;lt;b&amp;gt;</p>", "<p>两遍</p><p>两遍</p>", "<p>| | |</p>"])
def test_what_reads_badly_as_text_is_found(html: str) -> None:
    assert_reads_as_text(sample(""))
    with pytest.raises(AssertionError):
        assert_reads_as_text(sample(html))
