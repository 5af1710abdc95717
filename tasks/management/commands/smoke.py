"""`manage.py smoke [URL]`: one task of each ready type against a running portal, pass or fail a line each."""

from __future__ import annotations

import os
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tasks import registry
from tasks.errors import UrlRefused
from tasks.samples import SampleError, Samples
from tasks.statuses import Status


class Command(BaseCommand):
    help = "Run one task of each ready type against a running portal; exit code 1 if one of them fails."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url", nargs="?", default="http://127.0.0.1:8000")
        parser.add_argument("--token", default=os.environ.get("PORTAL_TOKEN"), help="API token; or PORTAL_TOKEN")
        parser.add_argument("--timeout", type=float, default=120, help="seconds a task may take (default: 120)")

    def handle(self, *args: Any, url: str, token: str | None, timeout: float, **options: Any) -> None:
        if not token:
            raise CommandError(
                "Give a token with --token or PORTAL_TOKEN; `.portal/demo.json` has those of `make run`."
            )
        samples = Samples(url, token)
        try:
            types = list(samples.ready_types())
        except SampleError as error:
            raise CommandError(f"{url} cannot be used: {error}") from error
        passed = [self._try_type(samples, name, timeout) for name, ready, hint in types if ready]
        for name, ready, hint in types:
            if not ready:
                self.stdout.write(f"-     {name:<22} not ready: {hint}")
        if not passed or not all(passed):
            raise CommandError(f"{passed.count(False)} of {len(passed)} task types failed.")
        self.stdout.write(f"{len(passed)} task types work.")

    def _try_type(self, samples: Samples, name: str, timeout: float) -> bool:
        started = time.monotonic()
        definition = registry.all_types().get(name)
        if definition is None:
            return self._say(False, name, "this version of the portal does not know it, so it has no sample")
        try:
            tasks = [samples.watch(task, lambda task: None, timeout) for task in samples.submit(definition)]
        except SampleError as error:
            return self._say(False, name, str(error))
        for task in tasks:
            if (task.get("error") or {}).get("code") == UrlRefused.code:
                # The sample calls the portal itself, which need not lead to a public address.
                self.stdout.write(f"-     {name:<22} not tried: {task['error']['message']}")
                return True
            if task["status"] != Status.SUCCEEDED:
                fault = (task.get("error") or {}).get("message") or f"still {task['status']} after {timeout:g} s"
                return self._say(False, name, f"task {task['id']}: {fault}")
        return self._say(True, name, f"{time.monotonic() - started:.1f} s")

    def _say(self, passed: bool, name: str, remark: str) -> bool:
        self.stdout.write(f"{'pass' if passed else 'FAIL'}  {name:<22} {remark}")
        return passed
