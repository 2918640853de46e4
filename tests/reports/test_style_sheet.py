"""Text can be read in both themes, and what is printed is whole."""

from __future__ import annotations

import re

import pytest

from drills.reporting import read_templates
from reports import svg

CSS = read_templates()["page.css"]
LIGHT, DARK = (CSS.split("@media screen and (prefers-color-scheme: dark)", 1)[n] for n in (0, 1))
PAPER_OF_WATERMARK = "#f4ead2"


def tokens(theme: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", theme.split("}", 1)[0]))


def luminance(colour: str) -> float:
    """Relative luminance, https://www.w3.org/TR/WCAG21/#dfn-relative-luminance."""
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        ("ink", "paper"),
        ("muted", "paper"),
        ("link", "paper"),
        ("passed-ink", "passed-paper"),
        ("failed-ink", "failed-paper"),
        ("inconclusive-ink", "inconclusive-paper"),
        ("not-applicable-ink", "not-applicable-paper"),
        ("live-ink", "live-paper"),
        ("rehearsal-ink", "rehearsal-paper"),
    ],
)
def test_text_stands_out_from_its_background(theme: str, ink: str, paper: str) -> None:
    colours = tokens(theme)
    assert contrast(colours[ink], colours[paper]) >= 4.5


@pytest.mark.parametrize("ink", ["ink", "muted"])
def test_printed_text_stands_out_from_the_word_behind_it(ink: str) -> None:
    assert PAPER_OF_WATERMARK in CSS
    assert contrast(tokens(LIGHT)[ink], PAPER_OF_WATERMARK) >= 4.5


@pytest.mark.parametrize("colour", [svg.SERVICE, svg.PERSON, svg.KEPT, svg.LOST, svg.OPEN, svg.TOOL])
def test_drawings_stand_out_from_the_paper(colour: str) -> None:
    """https://www.w3.org/TR/WCAG21/#non-text-contrast asks for 3:1."""
    assert contrast(colour, svg.PAPER) >= 3.0


def test_each_class_of_the_drawings_has_a_dark_colour() -> None:
    for css in ("ink", "muted", "paper", "service", "tool", "person", "open", "bounds", "lag-area"):
        assert f"svg .{css} {{ fill:" in DARK
    for css in ("ink-line", "muted-line", "grid", "kept", "lost", "rightly-absent", "unsure", "archived"):
        assert f"svg .{css} {{ stroke:" in DARK


def test_the_dark_theme_is_for_screens_only() -> None:
    assert "@media (prefers-color-scheme" not in CSS


def test_headings_of_tables_repeat_on_each_printed_page() -> None:
    assert "thead { display: table-header-group }" in CSS


def test_pages_are_numbered() -> None:
    assert '"page " counter(page) " of " counter(pages)' in read_templates()["report.html"]
