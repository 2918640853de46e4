"""Can a record be changed without anybody noticing, and is one that was cut by a kill still read?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drills.errors import ChainBroken, RecordError
from drills.journal import FIRST, Journal, read_chain, write_document, write_once


def written(path: Path, count: int = 5) -> Path:
    journal = Journal(path)
    for number in range(count):
        journal.write("noted", what=f"line {number}", number=number)
    journal.close()
    return path


def test_what_was_written_is_read_in_order_and_carries_both_clocks(tmp_path: Path) -> None:
    chain = read_chain(written(tmp_path / "journal.jsonl"))

    assert [line["number"] for line in chain.lines] == [0, 1, 2, 3, 4]
    assert chain.lines[0]["before"] == FIRST
    assert all({"at", "utc_s"} <= line.keys() for line in chain.lines)
    assert not chain.cut


def test_a_line_is_on_its_way_to_the_disk_before_the_next_act_begins(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write("call_began")

    assert [line["event"] for line in read_chain(journal.path).lines] == ["call_began"]
    journal.close()


def test_a_line_that_a_kill_cut_off_is_left_out_and_said(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.jsonl")
    path.write_bytes(path.read_bytes()[:-9])

    chain = read_chain(path)

    assert len(chain.lines) == 4
    assert chain.cut


@pytest.mark.parametrize("removed", range(4))
def test_a_removed_line_breaks_the_chain(tmp_path: Path, removed: int) -> None:
    path = written(tmp_path / "journal.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[removed]
    path.write_bytes(b"".join(lines))

    with pytest.raises(ChainBroken):
        read_chain(path)


@given(where=st.floats(0.0, 1.0), flipped=st.integers(1, 255))
def test_no_byte_of_any_line_but_the_last_can_be_changed_unnoticed(
    tmp_path_factory: pytest.TempPathFactory, where: float, flipped: int
) -> None:
    """The last line is vouched for by whoever noted the head of the file."""
    path = written(tmp_path_factory.mktemp("record") / "journal.jsonl", count=3)
    text = bytearray(path.read_bytes())
    text[int(where * text.rindex(b"\n", 0, -1))] ^= flipped
    path.write_bytes(bytes(text))

    with pytest.raises(RecordError):
        read_chain(path)


def test_a_record_is_written_once(tmp_path: Path) -> None:
    written(tmp_path / "journal.jsonl")
    write_document(tmp_path / "plan.json", {})

    with pytest.raises(RecordError, match="written once"):
        Journal(tmp_path / "journal.jsonl")
    with pytest.raises(RecordError, match="written once"):
        write_once(tmp_path / "plan.json", b"{}")


def test_a_figure_that_is_no_number_is_never_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")

    with pytest.raises(ValueError, match="JSON compliant"):
        journal.write("noted", value=float("inf"))
    journal.write("noted", value=1.0)
    journal.close()
    assert [json.loads(line)["value"] for line in journal.path.read_text().splitlines()] == [1.0]
