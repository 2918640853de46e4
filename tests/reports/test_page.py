"""The page of a drill says what its record says, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from drills.history import History
from drills.model import ClockRead, Instant, Objectives
from tests.histories import (
    COPY_NAME,
    PRODUCTION,
    acked,
    attempts,
    edited,
    honest,
    lacking,
    restored_to,
    samples,
)
from tests.reports.pages import Element, judged, page_of, read, rehearsed, rows_of, scaled

DEAD_PROBER = edited(honest(), probers=(replace(honest().probers[0], stopped=None),))
TAIL_LOST = restored_to(honest(), 20.0)
NOTHING = History(run=honest().run, began=ClockRead(Instant(0.0), 1_793_520_000.0))

HISTORIES = {
    "latest": honest(),
    "chosen": honest("chosen"),
    "rehearsal": rehearsed(honest()),
    "rehearsal of chosen": rehearsed(honest("chosen")),
    "tail lost": TAIL_LOST,
    "hole": lacking(honest(), ("a", 200)),
    "dead prober": DEAD_PROBER,
    "nobody tried": edited(honest(), attempts=(), probers=()),
    "no surveys": edited(honest(), surveys=()),
    "no markers": edited(honest(), markers=()),
    "no samples": edited(honest(), samples=()),
    "archive far behind": edited(honest(), samples=samples(behind=420.0)),
    "clean-up unanswered": edited(
        honest(), calls=tuple(replace(c, ended=None, status=None) for c in honest().calls)
    ),
    "nothing recorded": NOTHING,
}


@pytest.fixture(params=list(HISTORIES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def history(name: str) -> History:
    return HISTORIES[name]


@pytest.fixture
def html(name: str) -> str:
    return drawn(name)


@cache
def drawn(name: str) -> str:
    """Each page is drawn once, however many tests read it."""
    return page_of(HISTORIES[name])


def strip_of(page: Element) -> str:
    return page.one("div", css="strip").text


def rto_row(page: Element) -> Element:
    return next(r for r in page.one("table", css="scorecard").all("tr") if "RTO" in r.text)


# --- one file, for anybody ------------------------------------------------------------------------------


def test_a_page_asks_for_nothing_and_runs_nothing(html: str) -> None:
    page = read(html)

    policy = page.one("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy.attributes["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert not [e for name in ("script", "link", "img", "iframe", "object") for e in page.all(name)]
    assert "://" not in html
    assert not re.search(r"url\(\s*['\"]?(?!#)|@import|\ssrc=|\son[a-z]+=", html)
    assert all((a.attributes["href"] or "").startswith("#") for a in page.all("a"))


def test_every_link_leads_somewhere_on_the_page(html: str) -> None:
    page = read(html)
    everything = [page, *(e for name in ("section", "tr", "h3", "div") for e in page.all(name))]
    ids = {e.attributes.get("id") for e in everything}
    assert {(a.attributes["href"] or "")[1:] for a in page.all("a")} <= ids


def test_a_page_can_be_read_aloud(html: str) -> None:
    page = read(html)

    assert len(page.all("h1")) == 1
    assert page.one("html").attributes["lang"] == "en"
    for table in page.all("table"):
        assert table.children[0].name == "caption"
        assert table.children[0].text
        assert all(th.attributes.get("scope") in {"col", "row"} for th in table.all("th"))
        assert all(th.text for th in table.all("th"))
    for drawing in page.all("svg"):
        assert drawing.attributes["role"] == "img"
        first, second = drawing.children[:2]
        assert (first.name, second.name) == ("title", "desc")
        assert drawing.attributes["aria-labelledby"] == f"{first.attributes['id']} {second.attributes['id']}"


def test_no_id_stands_twice(html: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_the_same_record_gives_the_same_bytes(history: History, html: str) -> None:
    assert html == page_of(history)


def test_a_page_stays_small(html: str) -> None:
    assert len(html.encode()) <= 150_000


def test_a_page_of_ten_markers_a_second_over_the_longest_window_stays_small() -> None:
    many = tuple(
        acked(n // 2 + 1, n * 0.1 - 330.0, n * 0.1 - 329.99, writer="ab"[n % 2]) for n in range(7_195)
    )
    assert len(page_of(honest(written=many)).encode()) <= 150_000


def test_nothing_from_outside_becomes_markup() -> None:
    evil = '"><script>alert(1)</script>'
    base = honest()
    assert base.request is not None
    page = page_of(
        edited(
            rehearsed(base),
            request=replace(base.request, source=evil, recovered=evil),
            created=(evil,),
            caveats=(evil,),
            run=replace(rehearsed(base).run, environment=evil, run_id=evil, trigger=evil),
            calls=tuple(replace(c, name=evil, resource=evil, request_id=evil) for c in base.calls),
        ),
        replace(PRODUCTION, source=evil),
    )
    assert "<script" not in page
    assert "alert(1)" in read(page).text  # shown, as text


def test_a_name_cannot_end_the_style_sheet() -> None:
    run = replace(honest().run, run_id='x"; } </style><b>')
    style = read(page_of(edited(honest(), run=run))).one("style").text
    assert "x_" in style
    assert "</style" not in style


# --- evidence or rehearsal ------------------------------------------------------------------------------


def test_a_live_drill_says_that_it_is_evidence() -> None:
    page = read(page_of(honest()))
    assert strip_of(page).startswith("LIVE DRILL: EVIDENCE")
    assert "LIVE DRILL: EVIDENCE" in page.one("style").text
    assert "REHEARSAL" not in page.text


def test_a_rehearsal_says_so_in_its_title_its_strip_and_on_every_printed_page() -> None:
    page = read(page_of(rehearsed(honest())))
    style = page.one("style").text

    assert page.one("head").one("title").text.startswith("REHEARSAL: ")
    assert strip_of(page).startswith("REHEARSAL ON LOCAL TWIN: NOT EVIDENCE")
    assert re.search(r'@top-center \{ content: "REHEARSAL ON LOCAL TWIN: NOT EVIDENCE', style)
    assert page.one("div", css="watermark").text == "REHEARSAL"
    assert "LIVE DRILL" not in page.text


def test_only_the_evidence_class_of_the_record_decides() -> None:
    """A run that calls itself live, against a host that is no known cloud, is a rehearsal."""
    run = replace(honest().run, trigger="live", environment="LIVE DRILL", arm_host="management.example")
    assert "NOT EVIDENCE" in strip_of(read(page_of(edited(honest(), run=run))))


@pytest.mark.parametrize(
    ("history", "live", "rehearsal"),
    [
        (honest(), "✓ PASSED", "✓ WOULD HAVE MET"),
        (TAIL_LOST, "✗ FAILED", "✗ WOULD HAVE MISSED"),
        (lacking(honest(), ("a", 200)), "✗ FAILED", "✗ WOULD HAVE FAILED"),
        (DEAD_PROBER, "? INCONCLUSIVE", "? INCONCLUSIVE"),
    ],
    ids=["passed", "objective missed", "failed otherwise", "inconclusive"],
)
def test_the_headline_says_the_verdict_in_words(history: History, live: str, rehearsal: str) -> None:
    assert read(page_of(history)).one("header").one("span", css="badge").text == live
    assert read(page_of(rehearsed(history))).one("header").one("span", css="badge").text == rehearsal


def test_nobody_is_called_compliant_and_nothing_can_be_signed(html: str) -> None:
    text = read(html).text.lower()
    assert "complian" not in text
    assert "signature" not in text


# --- figures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("time_scale", [1.0, 30.0])
@pytest.mark.parametrize("name", ["latest", "tail lost", "dead prober", "archive far behind", "chosen"])
def test_every_number_of_the_scorecard_is_one_of_result_json(name: str, time_scale: float) -> None:
    history, objectives = scaled(HISTORIES[name], by=time_scale)
    result: dict[str, Any] = judged(history, objectives)
    scorecard = read(page_of(history, objectives)).one("table", css="scorecard")

    shown = [float(d.attributes["value"] or "nan") for d in scorecard.all("data")]
    expected = [
        value[key]
        for value in (result["rto"], result["rpo"])
        if value is not None
        for key in ("objective_s", "low_s", "high_s")
        if value[key] is not None
    ]
    assert shown == expected


def test_objective_source_achieved_margin_and_verdict_stand_in_one_row() -> None:
    row = rto_row(read(page_of(honest())))
    assert [cell.text for cell in row.children] == [
        "Recovery time (RTO)",
        "at most 15 min (900 s)",
        "storage strategy, production",
        "5 min 34 s to 6 min 23 s 334.0 to 383.0 s",
        "at least 8 min 37 s to spare",
        "✓ met",
    ]


def test_with_a_time_scale_service_time_comes_first_and_the_scale_is_named() -> None:
    history, objectives = scaled(honest(), by=30.0)
    page = read(page_of(history, objectives))

    assert "at most 7 h 30 min (27000 s; wall 900 s)" in rto_row(page).text
    assert "2 h 47 min 01 s to 3 h 11 min 30 s" in rto_row(page).text
    assert "Time scale 30" in page.text


def test_an_assumed_objective_is_called_so_beside_its_source() -> None:
    page = read(page_of(honest(), replace(PRODUCTION, assumed=True)))
    assert "(assumed)" in rto_row(page).text


def test_a_bound_that_nobody_saw_is_said_in_words() -> None:
    row = rto_row(read(page_of(DEAD_PROBER)))
    achieved = row.one("td", css="achieved")

    assert achieved.text.startswith("5 min 34 s or more")
    assert "nobody saw an end" in achieved.text
    assert len(achieved.all("data")) == 1
    assert "no upper bound" in row.text
    assert "nobody saw the service back for good" in read(page_of(DEAD_PROBER)).one("div", css="lead").text


def test_what_was_not_measured_is_not_zero() -> None:
    page = read(page_of(NOTHING))
    assert "How long the recovery took was not measured." in page.text
    assert "How much data was lost was not measured." in page.text
    assert not page.one("table", css="scorecard").all("data")


@pytest.mark.parametrize(
    ("history", "said"),
    [
        (honest(), "The objective of 15 min was met with at least 8 min 37 s to spare."),
        (
            rehearsed(honest()),
            "The objective of 15 min would have been met with at least 8 min 37 s to spare.",
        ),
        (TAIL_LOST, "The objective of 5 min was missed by at least 1 min 09 s."),
        (DEAD_PROBER, "Whether the objective of 15 min was met could not be judged: the prober new never"),
        (honest("chosen"), "The restore point was respected."),
    ],
    ids=["met", "would have met", "missed", "open", "chosen"],
)
def test_the_first_sentences_say_met_or_not_and_by_how_much(history: History, said: str) -> None:
    assert said in read(page_of(history)).one("div", css="lead").text


def test_an_objective_inside_the_interval_is_left_open() -> None:
    page = read(page_of(honest(), replace(PRODUCTION, rto_s=360.0)))
    assert "could not be judged: it lies inside the interval." in page.one("div", css="lead").text
    assert "from 25.95 s to spare to 23 s over" in rto_row(page).text


def test_the_parts_that_are_shown_add_up_to_the_interval() -> None:
    rows = rows_of(read(page_of(honest())), "Why the recovery time is an interval")
    seconds = [float(re.sub(r" s$", "", cells[1])) for cells in rows]
    assert sum(seconds[:-1]) == pytest.approx(seconds[-1], abs=0.05)


def test_the_phases_fill_the_recovery_without_a_gap() -> None:
    result: dict[str, Any] = judged(honest())
    rows = rows_of(read(page_of(honest())), "Phases of the recovery")
    assert [cells[0] for cells in rows] == [phase["name"] for phase in result["phases"]]
    assert {cells[-1] for cells in rows} <= {"service", "tool", "person"}


def test_what_was_stated_for_deciding_is_shown_as_a_phase_before_the_disaster() -> None:
    page = read(page_of(honest(), replace(PRODUCTION, detection_and_decision_s=60.0)))
    first, second = rows_of(page, "Phases of the recovery")[:2]
    assert first[0] == "detected and decided"
    assert first[-1] == "person"
    assert second[1] == "08:06:30.000"


def test_the_markers_at_the_edges_are_named() -> None:
    rows = rows_of(read(page_of(TAIL_LOST)), "Markers at the edges")
    assert {cells[0]: cells[-1] for cells in rows} == {
        "last marker acknowledged before the disaster": "b 390",
        "last marker that survived": "b 20",
        "first acknowledged marker that was lost": "a 21",
        "the disaster": "–",
    }


def test_a_chosen_point_shows_its_neighbours_instead_of_a_loss() -> None:
    page = read(page_of(honest("chosen")))
    rows = rows_of(page, "Neighbours of the restore point")

    assert [cells[3] for cells in rows] == ["present, as it must be", "–", "absent, as it must be"]
    assert "Data loss (RPO)" not in page.one("table", css="scorecard").text


def test_a_marker_on_the_wrong_side_of_the_point_is_called_so() -> None:
    rows = rows_of(read(page_of(restored_to(honest("chosen"), 299.0))), "Neighbours of the restore point")
    assert rows[0][3] == "absent, against the request"


def test_counts_that_do_not_add_up_by_themselves_are_explained() -> None:
    late = (*honest().markers, acked(1, 389.99, 390.2, writer="c"))
    assert (
        "Neither kept nor lost: 1 acknowledged marker" in read(page_of(edited(honest(), markers=late))).text
    )


def test_failures_come_first_then_what_is_open() -> None:
    both = edited(lacking(honest(), ("a", 200)), probers=DEAD_PROBER.probers)
    verdicts = [cells[0] for cells in rows_of(read(page_of(both)), "What has to be true after this drill")]
    assert verdicts[0] == "✗ failed"
    assert verdicts.index("? inconclusive") < verdicts.index("✓ passed")


def test_every_finding_stands_on_the_page_with_its_sentence(history: History, html: str) -> None:
    result: dict[str, Any] = judged(history)
    text = read(html).text
    for finding in result["findings"]:
        assert finding["check"] in text
        assert finding["summary"][1:] in text


def test_every_caveat_and_every_limit_stands_on_the_page(history: History, html: str) -> None:
    result: dict[str, Any] = judged(history)
    page = read(html)
    for caveat in result["caveats"]:
        assert caveat[1:] in page.one("aside", css="caveats").text
    for limit in result["does_not_show"]:
        assert limit in page.one("div", css="limits").text
    assert page.one("div", css="limits").all("li")


def test_a_call_without_an_answer_is_unknown() -> None:
    rows = rows_of(read(page_of(HISTORIES["clean-up unanswered"])), "Calls that changed something")
    assert {cells[3] for cells in rows} == {"UNKNOWN: no answer came"}
    assert rows[0][2] == COPY_NAME


def test_an_objective_far_away_does_not_flatten_the_drawing() -> None:
    far = Objectives(
        rpo_s=86_400.0, rto_s=14_400.0, rpo_profile_s=86_400.0, rto_profile_s=14_400.0, source="x"
    )
    assert "objective 4 h, far outside the drawing" in read(page_of(honest(), far)).text


def test_later_interruptions_are_counted() -> None:
    flapping = (*honest().attempts, *attempts(781.0, 790.0, 783.0))
    assert "failed after the first that worked" in read(page_of(edited(honest(), attempts=flapping))).text
