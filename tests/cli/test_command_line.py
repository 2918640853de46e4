"""What is typed is answered by the command of that name, and every end has its exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from uuid import uuid4

import pytest

from drills.cli import INTERRUPTED, main
from drills.errors import ExitCode

ROOT = Path(__file__).parents[2]
HEAVY = ("azure", "psycopg", "pydantic", "rich", "pandas", "jinja2", "asyncio", "drills.environments")

COMMAND = '''\
"""Says what it was told.

It is the only command of this test.
"""

SUMMARY = "say something"


def add_arguments(parser):
    parser.add_argument("--word", "-w", default="nothing")


def run(args):
    {body}
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder of commands of its own, found as drills/commands is found."""
    name = f"commands_{uuid4().hex}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return name


@pytest.fixture
def folder(tmp_path: Path, package: str) -> Path:
    return tmp_path / package


def write(folder: Path, name: str, body: str) -> None:
    (folder / f"{name}.py").write_text(COMMAND.format(body=body), encoding="utf-8")


def drills(*typed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "drills", *typed], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_a_file_is_a_command_and_its_arguments_are_parsed(
    folder: Path, package: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, "say", "print(args.word); return 3")

    assert main(["say", "-w", "hello"], package=package) == 3
    assert capsys.readouterr().out == "hello\n"


def test_only_the_command_that_was_typed_is_imported(folder: Path, package: str) -> None:
    write(folder, "say", "return 0")
    (folder / "broken.py").write_text("raise RuntimeError('imported')", encoding="utf-8")

    assert main(["say"], package=package) == 0


def test_an_underscore_in_the_files_name_is_a_hyphen_on_the_command_line(folder: Path, package: str) -> None:
    write(folder, "say_it", "return 0")

    assert main(["say-it"], package=package) == 0


def test_a_file_whose_name_begins_with_an_underscore_is_no_command(
    folder: Path, package: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, "_shared", "return 0")

    assert main(["_shared"], package=package) == ExitCode.USAGE
    assert "there is no command '_shared'" in capsys.readouterr().err


def test_a_command_explains_itself_by_the_docstring_of_its_file(
    folder: Path, package: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, "say", "return 0")

    with pytest.raises(SystemExit) as left:
        main(["say", "--help"], package=package)

    assert left.value.code == 0
    told = capsys.readouterr().out
    assert "It is the only command of this test." in told
    assert "--word" in told


def test_help_lists_every_command_with_its_summary(
    folder: Path, package: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, "say", "return 0")

    with pytest.raises(SystemExit):
        main(["--help"], package=package)

    assert "  say  say something\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (
            "from drills.errors import UsageError; raise UsageError('no such run', hint='look in runs/')",
            ExitCode.USAGE,
            "drills: no such run\nHINT: look in runs/\n",
        ),
        (
            "from drills.errors import ProviderError; raise ProviderError('the control plane said no')",
            ExitCode.INCONCLUSIVE,
            "drills: the control plane said no\n",
        ),
        ("raise KeyboardInterrupt", INTERRUPTED, "drills: interrupted\n"),
    ],
    ids=["usage", "provider", "interrupted"],
)
def test_an_error_is_a_sentence_on_stderr_and_has_its_own_exit_code(
    folder: Path, package: str, capsys: pytest.CaptureFixture[str], body: str, code: int, said: str
) -> None:
    write(folder, "say", body)

    assert main(["say"], package=package) == code
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", said)


def test_a_defect_is_told_from_a_verdict_and_leaves_its_traceback_in_a_file(
    folder: Path, package: str, tmp_path: Path
) -> None:
    write(folder, "say", "raise ZeroDivisionError('oops')")
    code = f"import sys; from drills.cli import main; sys.exit(main(['say'], package='{package}'))"

    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": f"{ROOT}:{tmp_path}", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    (log,) = tmp_path.glob("drills-defect-*.log")
    assert answer.returncode == ExitCode.OUR_DEFECT
    assert "ZeroDivisionError: oops" in log.read_text(encoding="utf-8")
    assert log.stat().st_mode & 0o077 == 0
    assert str(log) in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "HINT: repeat it with --debug" in answer.stderr


def test_with_debug_the_traceback_is_printed(
    folder: Path, package: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, "say", "raise ZeroDivisionError('oops')")

    assert main(["say", "--debug"], package=package) == ExitCode.OUR_DEFECT
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("body", ["pass", "return None", "return 'passed'"])
def test_a_command_that_forgets_its_exit_code_has_not_passed(
    folder: Path, package: str, capsys: pytest.CaptureFixture[str], body: str
) -> None:
    write(folder, "say", body)

    assert main(["say", "--debug"], package=package) == ExitCode.OUR_DEFECT
    assert "ended without an exit code" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["sya"], "drills: there is no command 'sya'\nHINT: did you mean say? There are say\n"),
        (["say", "--wrod", "x"], "drills: unrecognized arguments: --wrod x\nHINT: drills say --help\n"),
        (["say", "--wo", "x"], "drills: unrecognized arguments: --wo x\nHINT: drills say --help\n"),
        (["--wrong"], "drills: unrecognized arguments: --wrong\nHINT: drills --help\n"),
    ],
    ids=["command", "option", "abbreviation", "before the command"],
)
def test_a_slip_of_the_keyboard_is_answered_with_a_hint(
    folder: Path, package: str, capsys: pytest.CaptureFixture[str], typed: list[str], said: str
) -> None:
    write(folder, "say", "return 0")

    assert main(typed, package=package) == ExitCode.USAGE
    assert capsys.readouterr().err == said


def test_drills_alone_is_no_success_and_shows_the_help() -> None:
    answer = drills()

    assert answer.returncode == ExitCode.USAGE
    assert answer.stderr.startswith("usage: drills <command>")
    assert answer.stdout == ""


def test_help_imports_nothing_that_is_heavy() -> None:
    """`drills --help` has 0.2 s; what is imported is what costs, and can be counted on any machine."""
    code = f"""
        import sys
        from drills.cli import main
        try:
            main(["--help"])
        except SystemExit as left:
            assert left.code == 0
        print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
    """
    answer = subprocess.run(
        [sys.executable, "-c", dedent(code)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert answer.stderr.strip() == "[]"
    assert "exit codes:" in answer.stdout


def test_a_reader_that_leaves_early_is_no_defect_and_no_verdict(tmp_path: Path) -> None:
    """`drills report … | head -1` closes the pipe."""
    name = "commands_that_talk"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    write(tmp_path / name, "say", "[print(number) for number in range(10**6)]; return 0")
    code = f"import sys; from drills.cli import main; sys.exit(main(['say'], package='{name}'))"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{tmp_path}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()

    assert (process.returncode, told) == (141, "")
