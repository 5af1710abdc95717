"""`manage.py doctor`: is anything wrong with this installation, and what mends it?"""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from portal import doctor


class Command(BaseCommand):
    help = (
        "Look the installation over as this process sees it; exit code 1 when something is wrong (docs/operating.md)."
    )
    # They are a part of what is looked at.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = []
        for finding in doctor.examine():
            findings.append(finding)
            if not options["json"]:
                self.stdout.write("\n".join(_lines(finding)))
                self.stdout.flush()
        if options["json"]:
            self.stdout.write(json.dumps([finding._asdict() for finding in findings], indent=2, ensure_ascii=False))
        if any(finding.faults for finding in findings):
            sys.exit(1)


def _lines(finding: doctor.Finding) -> list[str]:
    title = f"{finding.part:14}"
    words = [f"WRONG  {fault}" for fault in finding.faults] or ["ok"]
    words += [f"note   {note}" for note in finding.notes]
    return [f"{title if number == 0 else '':14} {line}" for number, line in enumerate(words)]
