"""The words of the command line."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import Any, NoReturn

from .usage import ExitCode, UsageError

DEFAULT_URL = "http://127.0.0.1:8000"
EPILOG = """\
exit codes: 0 done (with --wait: the task succeeded), 1 the task failed, was cancelled or expired,
            2 the command is wrong, 3 the portal refused or cannot be reached, 130 interrupted
environment: PORTAL_URL, PORTAL_TOKEN
"""
FIELDS_HELP = "name=text, name:=JSON, name=@file (uploaded; @- is standard input); twice or name[]=… makes a list"


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(ExitCode.USAGE, f"portal: {message}\n{self.format_usage()}")


def read_arguments(words: Sequence[str], name: str) -> argparse.Namespace:
    """Return the arguments, with `url` and `token` from the environment where no flag gives them.

    Raises:
        UsageError: no token is given.
        SystemExit: the words make no sense, or ask for help.
    """
    parser = _parser(name)
    arguments, rest = parser.parse_known_args(words)
    # argparse takes positional words only in one place; people write fields also behind flags.
    if rest and (any(word.startswith("-") for word in rest) or not hasattr(arguments, "fields")):
        parser.error(f"unknown: {' '.join(rest)}")
    if rest:
        arguments.fields = [*arguments.fields, *rest]
    arguments.url = getattr(arguments, "url", None) or os.environ.get("PORTAL_URL") or DEFAULT_URL
    arguments.token = getattr(arguments, "token", None) or os.environ.get("PORTAL_TOKEN", "")
    arguments.json = getattr(arguments, "json", False)
    arguments.request_timeout = getattr(arguments, "request_timeout", 30.0)
    if not arguments.token.isascii() or not arguments.token.strip():
        raise UsageError("Set PORTAL_TOKEN to an API token; the portal makes them under “API tokens”.")
    return arguments


def _parser(name: str) -> Parser:
    parser = Parser(
        prog=name,
        description="Submit tasks to a portal, watch them, fetch results.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_common(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)

    def command(name: str, what: str) -> Any:
        added = commands.add_parser(name, help=what, description=what)
        _add_common(added)
        return added

    submit = command("submit", "Submit a task; prints its id, or with --wait its result.")
    submit.add_argument("type", help="a task type, such as pdf.extract; `types` lists them")
    _add_submission(submit)
    copy = command("copy", "Submit a task again as a new one, with the fields that are given instead of its input.")
    copy.add_argument("id")
    _add_submission(copy)
    get = command("get", "Show a task.")
    get.add_argument("id")
    _add_list(command("list", "List your tasks, newest first; JSON is one task a line."))
    cancel = command("cancel", "Cancel tasks.")
    cancel.add_argument("ids", nargs="+", metavar="id")
    retry = command("retry", "Run a failed, cancelled or expired task again.")
    retry.add_argument("id")
    retry.add_argument("--wait", action="store_true", help="wait for its end and print the result")
    result = command("result", "Print a result: its text where it has one, else JSON.")
    result.add_argument("id")
    result.add_argument(
        "-o", "--output", metavar="FILE", help="write it there; the file itself, where it made just one"
    )
    upload = command("upload", "Upload files; prints an id for each.")
    upload.add_argument("files", nargs="+", metavar="file")
    download = command("download", "Download a file by its id.")
    download.add_argument("id")
    download.add_argument("-o", "--output", metavar="FILE", help="write it there instead of to standard output")
    types = command("types", "List the task types, or show one.")
    types.add_argument("name", nargs="?")
    command("quota", "Show what your plan allows and what is used of it.")
    watch = command("watch", "Watch a task to its end and print the result.")
    watch.add_argument("id")
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    # Before or behind the command; without a default, which the second parser would put over the first one's value.
    group = parser.add_argument_group("for every command")
    group.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON as the API gives it")
    group.add_argument("--url", default=argparse.SUPPRESS, help=f"of the portal; or PORTAL_URL ({DEFAULT_URL})")
    group.add_argument(
        "--token", default=argparse.SUPPRESS, help="API token; better PORTAL_TOKEN: flags are seen by all of a machine"
    )
    group.add_argument(
        "--request-timeout",
        type=_positive,
        default=argparse.SUPPRESS,
        metavar="SECONDS",
        help="of one request (30)",
    )


def _add_submission(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("fields", nargs="*", metavar="field", help=FIELDS_HELP)
    parser.add_argument("--wait", action="store_true", help="wait for the task's end and print its result")
    parser.add_argument("--name", help="what it is called in lists")
    parser.add_argument("--priority", type=int, metavar="1-10")
    parser.add_argument("--idempotency-key", metavar="KEY", help="the same key and fields submit only once a day")
    parser.add_argument("--needs", action="append", metavar="ID", help="a task that must have succeeded first")
    parser.add_argument(
        "--after", action="append", metavar="ID", help="a task that must have ended first, however it did"
    )
    parser.add_argument("--tag", action="append", dest="tags", metavar="TAG")
    parser.add_argument("--metadata", action="append", metavar="KEY=VALUE")
    parser.add_argument("--timeout", type=_duration, metavar="DURATION", help="of one attempt: 90, 10m, 2h30m")
    parser.add_argument("--keep", type=_duration, metavar="DURATION", help="how long it is kept after its end")
    parser.add_argument("--max-attempts", type=int, metavar="N")
    parser.add_argument("--run-after", metavar="TIME", help="not before this time, as 2030-01-31T12:00:00Z")
    parser.add_argument("--start-before", metavar="TIME", help="expire when not started by then")
    parser.add_argument("--webhook", metavar="ID|URL", help="an endpoint, or an address, that hears of the end")
    parser.add_argument(
        "--reuse",
        action="store_true",
        default=None,
        help="take the result of the same work done before, where there is one",
    )
    parser.add_argument(
        "--on-quota", choices=["reject", "downgrade"], help="when an allowance is spent: refuse, or lower the priority"
    )


def _add_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-q", metavar="WORDS", help="that its name, files, tags, input or result have")
    parser.add_argument("--status", action="append", help="one or several")
    parser.add_argument("--type")
    parser.add_argument("--queue")
    parser.add_argument("--tag")
    parser.add_argument("--batch", metavar="ID")
    parser.add_argument("--metadata", action="append", metavar="KEY=VALUE")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="how many (20); 0: all")


def _duration(text: str) -> int | str:
    """Return seconds as a number; what else is a duration, the portal knows."""
    return int(text) if text.isascii() and text.isdigit() else text


def _positive(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 86_400:
        raise argparse.ArgumentTypeError("must be more than 0 seconds and less than a day")
    return seconds
