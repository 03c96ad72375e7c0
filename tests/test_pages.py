"""The pages of the repository: their links lead somewhere, the map names what is there, both READMEs say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from five_precisions.settings import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LONGEST_README = 130
"""Lines."""
LONGEST_SENTENCE = 25
"""Words (CONTRIBUTING.md#prose); a colon or a semicolon parts sentences too."""
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_CODE = re.compile(r"^```.*?^```|^ {4}.*?$", re.MULTILINE | re.DOTALL)


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return _CODE.sub("", page.read_text(encoding="utf-8"))


def slugs(page: Path) -> set[str]:
    """The anchors of its headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in _HEADING.findall(prose(page)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = 0
        while (slug if not number else f"{slug}-{number}") in found:
            number += 1
        found.add(slug if not number else f"{slug}-{number}")
    return found


def links(page: Path) -> Iterator[str]:
    """What it links to within the repository."""
    return (link for link in _LINK.findall(prose(page)) if "://" not in link)


def sentences(page: Path) -> Iterator[str]:
    """Its sentences; an item of a list and a cell of a table are text of their own, and a span of code is one word."""
    for block in re.split(r"\n\s*\n", prose(page)):
        if block.lstrip().startswith("|"):
            texts = block.replace("\n", "|").split("|")
        else:
            texts = re.split(r"^\s*(?:-|\d+\.) ", block, flags=re.MULTILINE)
        for text in texts:
            plain = re.sub(r"`[^`]*`", "code", re.sub(r"\]\([^)]*\)", "]", " ".join(text.split())))
            yield from filter(None, re.split(r"(?<=[.!?:;])\s+", plain))


def test_there_are_pages_and_links() -> None:
    assert {"README.md", "README.zh-CN.md", "CONTRIBUTING.md", "operations.md"} <= {page.name for page in PAGES}
    assert sum(len(list(links(page))) for page in PAGES) > 100


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    lost = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_relative_to(ROOT) or not target.exists() or (anchor and anchor not in slugs(target)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.parent.name != "reference"], ids=lambda page: str(page.relative_to(ROOT))
)
def test_no_sentence_is_long(page: Path) -> None:
    long = [sentence for sentence in sentences(page) if len(re.findall(r"[\w'’-]+", sentence)) > LONGEST_SENTENCE]
    assert long == []


def test_a_long_sentence_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Head\n\n- {'word ' * 25}word\n- {'word ' * 20}\n\n| cell | {'in ' * 30} |\n", encoding="utf-8")
    assert [len(sentence.split()) for sentence in sentences(page)] == [2, 26, 20, 1, 30]


def test_the_map_names_every_folder_package_and_module() -> None:
    named = set(re.findall(r"`([^`]+)`", prose(ROOT / "docs" / "architecture.md").split("## The map")[1]))
    include = ROOT / "include"
    wanted = {f"{name}/" for name in _folders(ROOT) if name not in {"include", "secrets", "var"}} | {".ci/"}
    wanted |= {f"include/{name}/" for name in _folders(include)}
    wanted |= {f"{name}/" for name in _folders(include / "five_precisions")}
    wanted |= {each.name for each in (include / "five_precisions").glob("[!_]*.py")}
    assert len(wanted) > 40
    assert wanted - named == set()


def test_the_table_of_statements_has_each_folder_of_statements() -> None:
    table = prose(ROOT / "docs" / "architecture.md").split("\nThe statements:\n")[1]
    first_cells = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    named = [name for cell in first_cells for name in re.findall(r"`(\w+)/`", cell)]
    assert len(named) > 20
    assert sorted(named) == sorted(_folders(ROOT / "include" / "sql"))


def _folders(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith((".", "__"))}


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_a_readme_is_short(name: str) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= LONGEST_README


def test_both_readmes_say_the_same() -> None:
    english, chinese = map(_outline, ("README.md", "README.zh-CN.md"))
    assert english == chinese
    assert len(english) > 40


def _outline(name: str) -> list[str]:
    """What does not depend on the language: headings' ranks, rows of tables, commands, links, items."""
    outline = []
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("    "):
            outline.append(line.partition("#")[0].strip())
        elif line.startswith("|"):
            outline.append(f"{line.count('|')} cells")
        elif line.startswith(("#", "- ")):
            outline.append(line.split()[0])
        outline += [link for link in _LINK.findall(line) if not link.startswith("README")]
    return outline
