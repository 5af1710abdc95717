"""`manage.py backend`: adds model servers, lists, tests, switches and removes them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models.functions import Now

from tasks import audit
from tasks.backends import servers
from tasks.backends.figures import Figures, health_of, read_figures
from tasks.backends.servers import NewServer
from tasks.errors import InvalidInput, NotFound
from tasks.measures import NOTHING, duration_text
from tasks.models import Backend, BackendPool
from tasks.models.backend import Kind, Strategy
from tasks.pooler import UnusablePooler, refuse_pooler

VERBS = {"test": "Ask a server now whether it works.", "enable": "Let a server be called, with its breaker closed.",
         "disable": "Start no more calls on a server.", "remove": "Forget a server."}  # fmt: skip


class Command(BaseCommand):
    help = "Add, list, test, enable, disable and remove model servers (docs/backends.md)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="Add a server and test it.")
        add.add_argument("kind", choices=Kind.values)
        add.add_argument("url", help="its base URL, as http://gpu1:8000/v1")
        add.add_argument("--name", default="", help="for people; default: host and port")
        add.add_argument("--model", action="append", default=[], help="use only this model; may be repeated")
        add.add_argument("--weight", type=float, default=1.0, help="its share of the calls (default: 1)")
        add.add_argument("--most-calls", type=int, default=4, help="most calls at once, over all nodes (default: 4)")
        # Never as an argument: others on the machine can read those.
        add.add_argument("--key-file", help="file with its keys, one a line; - reads them from the input")
        verbs.add_parser("list", help="List all servers with their health and figures of the last hour.")
        strategy = verbs.add_parser("strategy", help="Say how a server is chosen among those of a kind.")
        strategy.add_argument("kind", choices=Kind.values)
        strategy.add_argument("strategy", choices=Strategy.values)
        for verb, text in VERBS.items():
            one = verbs.add_parser(verb, help=text)
            one.add_argument("kind", choices=Kind.values)
            one.add_argument("name", help="its name or address, as `list` shows them")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            refuse_pooler()
            getattr(self, f"_{verb}")(options)
        except (InvalidInput, NotFound, UnusablePooler) as error:
            raise CommandError(str(error)) from error

    def _add(self, options: dict[str, Any]) -> None:
        new = NewServer(
            kind=options["kind"],
            address=options["url"],
            name=options["name"],
            models=options["model"],
            weight=options["weight"],
            most_calls=options["most_calls"],
            keys=_read_keys(options["key_file"]),
        )
        backend = servers.add_server(new)
        audit.record_command("add", "backend", backend.pk, name=str(backend))
        self._say_check(backend)

    def _list(self, options: dict[str, Any]) -> None:
        figures = read_figures()
        strategies = dict(BackendPool.objects.values_list("kind", "strategy"))
        rows = Backend.objects.annotate(now=Now())
        for backend in rows:
            figure = figures.get(backend.pk, Figures())
            slow = (
                NOTHING if figure.p95 is None else f"p50 {duration_text(figure.p50)}, p95 {duration_text(figure.p95)}"
            )
            self.stdout.write(
                f"{backend.kind:<10} {backend.name:<24} {health_of(backend, backend.now):<9} "
                f"{figure.busy}/{backend.most_calls} busy, {figure.calls} calls and {figure.errors} errors in an hour, "
                f"{slow}  {backend.base_url} ({strategies.get(backend.kind, Strategy.LEAST_BUSY)})"
            )
        if not rows:
            self.stdout.write("There is no model server; `manage.py backend add KIND URL` adds one.")

    def _strategy(self, options: dict[str, Any]) -> None:
        servers.set_strategy(options["kind"], options["strategy"])
        audit.record_command("strategy", "backend_pool", options["kind"], strategy=options["strategy"])
        self.stdout.write(f"Servers for {options['kind']}: {Strategy(options['strategy']).label}.")

    def _test(self, options: dict[str, Any]) -> None:
        if not self._say_check(servers.find_server(options["kind"], options["name"])):
            raise CommandError("The server does not work.")

    def _enable(self, options: dict[str, Any]) -> None:
        backend = servers.find_server(options["kind"], options["name"])
        servers.enable_server(backend)
        audit.record_command("enable", "backend", backend.pk, name=str(backend))
        self.stdout.write(f"{backend} is called again.")

    def _disable(self, options: dict[str, Any]) -> None:
        backend = servers.find_server(options["kind"], options["name"])
        servers.drain_server(backend)
        audit.record_command("drain", "backend", backend.pk, name=str(backend))
        self.stdout.write(f"No more calls start on {backend}; those that run end by themselves.")

    def _remove(self, options: dict[str, Any]) -> None:
        backend = servers.find_server(options["kind"], options["name"])
        if backend.from_environment:
            raise CommandError(f"{backend} is named by the environment: take it out there, or disable it here.")
        audit.record_command("delete", "backend", backend.pk, name=str(backend))
        servers.remove_server(backend)
        self.stdout.write(f"{backend} is removed.")

    def _say_check(self, backend: Backend) -> bool:
        check = servers.test_server(backend)
        if check.failure:
            self.stdout.write(f"{backend} is there, but does not answer as it should: {check.failure}")
            return False
        models = ", ".join(check.models[:10]) if check.models else "it names none"
        self.stdout.write(f"{backend} works ({check.seconds * 1000:.0f} ms). Models: {models}")
        return True


def _read_keys(file: str | None) -> list[str]:
    if not file:
        return []
    try:
        return sys.stdin.read().split() if file == "-" else Path(file).read_text().split()
    except OSError as error:
        raise CommandError(f"The file of keys cannot be read: {error.strerror}.") from error
