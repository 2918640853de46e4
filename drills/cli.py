"""What was typed, and which command answers it?

    drills <command> [options]    finds drills/commands/<command>.py, imports only that, and calls run()

    raised by a command           printed on stderr             exit code
    ─────────────────────────     ──────────────────────────    ──────────────────────────────────
    DrillError                    its sentence and its HINT     the error's own: 1, 2 or 3
    KeyboardInterrupt             one line                      130; a drill has sealed itself before that
    BrokenPipeError               nothing: nobody reads it      141
    anything else                 one sentence, a log's path    70, our own defect

Only this module prints errors and only this module decides how the process ends. Nothing outside the standard
library is imported before a command was chosen: bare Python takes 15 ms to start, argparse 30, pydantic 115.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from typing import NoReturn, Protocol, cast

from drills.errors import DrillError, ExitCode, UsageError

INTERRUPTED = 130  # 128 + SIGINT, as shells report it
NOBODY_READS = 141  # 128 + SIGPIPE
COMMANDS = "drills.commands"

ABOUT = """\
Recovery drills for Azure Database for PostgreSQL Flexible Server: carry out a real recovery, watch it as a client
would, and state what was lost (RPO) and how long it took (RTO) against the objective, with evidence."""

EXAMPLES = """\
examples:
  drills rehearse                                    production's restores on a local twin; needs no Azure
  drills rehearse -e uat -s pitr_restore:chosen      one environment, one variant of one scenario
  drills check runs/REHEARSAL-…                      judge a recorded run again, offline"""

EXIT_CODES = """\
exit codes:
    0  passed: at least one drill passed, and nothing else than not applicable
    1  failed: an objective was missed, or something is wrong with what was recovered
    2  usage, configuration, refused before the start, or nothing applicable
    3  inconclusive or aborted: what was not observed is never passed
   70  a defect of this software
  130  interrupted"""

MORE = "Each command explains itself: drills <command> --help"


class Command(Protocol):
    """What a file in drills/commands/ has to offer."""

    SUMMARY: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what the command takes."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it, and give the exit code."""


class Parser(argparse.ArgumentParser):
    """A parser that raises what is wrong instead of printing its usage and leaving."""

    def error(self, message: str) -> NoReturn:
        """Say it as every other error is said."""
        raise UsageError(message, hint=f"{self.prog} --help")


def main(argv: Sequence[str] | None = None, *, package: str = COMMANDS) -> int:
    """Run what was typed and give the exit code; nothing is raised but `SystemExit` by --help and --version."""
    typed = list(sys.argv[1:] if argv is None else argv)
    try:
        return _answer(typed, package)
    except DrillError as error:
        print(f"drills: {error}", file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        print("drills: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes stdout once more at exit, which would print a second error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS
    except Exception as defect:  # noqa: BLE001  the last line of defence: a defect must be told from a verdict
        print(_confession(defect, debug="--debug" in typed), file=sys.stderr)
        return int(ExitCode.OUR_DEFECT)


def _answer(typed: list[str], package: str) -> int:
    names = _names(package)
    chosen = next((word for word in typed if not word.startswith("-")), None)
    if chosen is None:
        return _without_command(typed, names, package)
    if chosen not in names:
        raise UsageError(f"there is no command {chosen!r}", hint=_nearest(chosen, names))
    command = _load(package, chosen)
    typed.remove(chosen)
    result = command.run(_command_parser(chosen, command).parse_args(typed))
    if not isinstance(result, int):  # a forgotten return must not look like exit code 0, which says PASSED
        raise TypeError(f"the command {chosen} ended without an exit code")
    return int(result)


def _without_command(typed: list[str], names: Sequence[str], package: str) -> int:
    parser = _top_parser(names, package)
    parser.parse_args(typed)
    parser.print_help(sys.stderr)
    return int(ExitCode.USAGE)


def _names(package: str) -> list[str]:
    folders = importlib.import_module(package).__path__
    return sorted(
        found.name.replace("_", "-") for found in pkgutil.iter_modules(folders) if found.name[0] != "_"
    )


def _load(package: str, name: str) -> Command:
    return cast("Command", importlib.import_module(f"{package}.{name.replace('-', '_')}"))


def _nearest(word: str, names: Sequence[str]) -> str:
    import difflib  # only a mistake needs it

    near = difflib.get_close_matches(word, names, n=1)
    return (f"did you mean {near[0]}? " if near else "") + f"There are {', '.join(names)}"


def _top_parser(names: Sequence[str], package: str) -> Parser:
    width = max((len(name) for name in names), default=0)
    listed = "\n".join(f"  {name:<{width}}  {_load(package, name).SUMMARY}" for name in names)
    parser = Parser(
        prog="drills",
        usage="drills <command> [options]",
        description=ABOUT,
        epilog="\n\n".join((f"commands:\n{listed}", EXAMPLES, EXIT_CODES, MORE)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="say which version this is, and leave")
    _add_debug(parser)
    return parser


def _command_parser(name: str, command: Command) -> Parser:
    parser = Parser(
        prog=f"drills {name}",
        description=getattr(command, "__doc__", None) or command.SUMMARY,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_arguments(parser)
    _add_debug(parser)
    return parser


def _add_debug(parser: Parser) -> None:
    parser.add_argument(
        "--debug", action="store_true", help="print the traceback of a defect of this software"
    )


class _Version(argparse.Action):
    def __call__(self, *_: object) -> None:
        from importlib.metadata import version  # 20 ms that --help does not need

        print(f"drills {version('azure-postgres-drills')}")
        sys.exit(0)


def _confession(defect: Exception, *, debug: bool) -> str:
    """Say in one sentence that it is our fault, and leave the traceback where one can find it."""
    import tempfile
    import traceback

    told = "".join(traceback.format_exception(defect))
    if debug:
        return f"{told}drills: a defect of this software: {type(defect).__name__}"
    with tempfile.NamedTemporaryFile("w", prefix="drills-defect-", suffix=".log", delete=False) as log:
        log.write(told)  # readable by its owner only, as every file of tempfile
    return (
        f"drills: a defect of this software: {type(defect).__name__}; its traceback is in {log.name}\n"
        "HINT: repeat it with --debug, and report it with that file; this is no verdict"
    )
