"""How do the tests get a page, and what do they read of it? As a browser would: by its elements."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

from drills import result
from drills.history import History
from drills.model import Json, Objectives
from drills.reporting import read_templates
from drills.verdict import find
from reports.record import Declared
from reports.render import render_html
from tests.histories import PRODUCTION

VOID = {"meta", "link", "br", "hr", "img", "input", "col"}


def judged(history: History, objectives: Objectives = PRODUCTION) -> dict[str, Json]:
    """The result.json of a history."""
    return result.build(history, objectives, find(history, objectives))


def page_of(
    history: History, objectives: Objectives = PRODUCTION, *, declared: Declared | None = None
) -> str:
    """The page of a history."""
    return render_html(history, judged(history, objectives), read_templates(), declared=declared)


def rehearsed(history: History) -> History:
    """The history as if it had been recorded on a twin, in real time."""
    return replace(history, run=replace(history.run, arm_host="localhost", public_ca=False))


def scaled(history: History, objectives: Objectives = PRODUCTION, *, by: float) -> tuple[History, Objectives]:
    """The history as a rehearsal with a time scale: the same wall seconds stand for more service seconds."""
    return (
        replace(rehearsed(history), run=replace(rehearsed(history).run, time_scale=by)),
        replace(objectives, rto_profile_s=objectives.rto_s * by, rpo_profile_s=objectives.rpo_s * by),
    )


@dataclass
class Element:
    """An element of a page with its attributes, the text below it, and its children."""

    name: str
    attributes: dict[str, str | None]
    children: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text below, as it is read: white space once, no-break spaces as spaces."""
        return re.sub(r"\s+", " ", "".join(self.texts)).strip()

    def all(self, name: str) -> list[Element]:
        """All elements of a name below this one."""
        found = [child for child in self.children if child.name == name]
        return found + [deeper for child in self.children for deeper in child.all(name)]

    def one(self, name: str, **attributes: str) -> Element:
        """The only element of a name with these attributes; `css` stands for one of its classes."""
        css = attributes.pop("css", None)
        found = [
            each
            for each in self.all(name)
            if all(each.attributes.get(key) == value for key, value in attributes.items())
            and (css is None or css in (each.attributes.get("class") or "").split())
        ]
        assert len(found) == 1, f"{len(found)} elements {name} {attributes} {css}"
        return found[0]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("#root", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        assert len(element.attributes) == len(attrs), f"<{tag}> has an attribute twice"
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].name == tag, f"</{tag}> closes <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.texts.append(data)


def read(html: str) -> Element:
    """Read a page; elements that are not nested, closed or unique in their attributes are an error."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == [reader.root], f"never closed: {[e.name for e in reader.open[1:]]}"
    return reader.root


def rows_of(page: Element, caption: str) -> list[list[str]]:
    """The texts of a table's cells, row by row, by the table's caption."""
    table = next(t for t in page.all("table") if t.one("caption").text == caption)
    return [[cell.text for cell in row.children] for row in table.one("tbody").all("tr")]
