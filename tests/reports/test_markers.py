"""The table of markers holds one line each, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from reports.markers import COLUMNS, markers_csv
from tests.histories import edited, honest, lacking, refused, unknown


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_marker_has_a_line_with_its_outcome_and_what_became_of_it() -> None:
    run = lacking(honest(), ("a", 200))
    found = rows(markers_csv(run))

    assert len(found) == len(run.markers)
    assert tuple(found[0]) == COLUMNS
    gone = [row for row in found if row["presence"] == "absent"]
    assert [(row["writer"], row["number"], row["outcome"]) for row in gone] == [("a", "200", "acked")]


def test_times_are_relative_to_the_disaster() -> None:
    first = rows(markers_csv(honest()))[0]
    assert (first["began_s"], first["ended_s"], first["took_s"]) == ("-390.0", "-389.99", "0.01")
    assert first["began_utc"] == "2026-11-01 08:00:00.000000"


def test_what_was_not_observed_is_empty() -> None:
    found = rows(markers_csv(edited(honest(), markers=(unknown(1, 10.0), refused(2, 11.0, 11.1)))))
    assert (found[0]["ended_s"], found[0]["lsn"]) == ("", "")
    assert found[1]["outcome"] == "refused"
    assert rows(markers_csv(edited(honest(), disaster=None)))[0]["began_s"] == ""


def test_large_numbers_stay_whole() -> None:
    """A column with gaps would become floating point, and an xid of ten digits would lose its last ones."""
    marker = honest().markers[0]
    assert marker.row is not None
    huge = replace(marker, row=replace(marker.row, server_time_us=1_793_520_000_123_457))
    found = rows(markers_csv(edited(honest(), markers=(huge, unknown(2, 10.0)))))
    assert found[0]["server_time_us"] == "1793520000123457"


def test_the_words_of_a_server_are_no_formula() -> None:
    evil = replace(refused(1, 10.0, 10.1), reason='=HYPERLINK("x")')
    assert rows(markers_csv(edited(honest(), markers=(evil,))))[0]["reason"].startswith("'=")
