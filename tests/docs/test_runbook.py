"""docs/runbook.md has a section for whatever may wake somebody, and each says what to do."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tasks.models import AlarmKind

PROJECT = Path(__file__).resolve().parents[2]
RUNBOOK = (PROJECT / "docs" / "runbook.md").read_text()
SECTIONS = dict(re.findall(r"^### (\w+)\n\n(.*?)(?=\n##|\Z)", RUNBOOK, flags=re.MULTILINE | re.DOTALL))


def test_every_alarm_has_a_section() -> None:
    assert set(AlarmKind.values) <= set(SECTIONS)


def test_every_rule_has_a_section() -> None:
    rules = yaml.safe_load((PROJECT / "deploy" / "prometheus-alerts.yml").read_text())
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert alerts
    assert alerts <= set(SECTIONS)


def test_every_section_says_what_it_means_where_to_look_and_what_to_do() -> None:
    own = {name: text for name, text in SECTIONS.items() if not text.startswith("As [")}
    assert {name for name, text in own.items() if re.findall(r"\*\*(\w+)\*\*", text)[:2] != ["Means", "Look"]} == set()
    assert {name for name, text in own.items() if "\n**Do** " not in text} == set()
