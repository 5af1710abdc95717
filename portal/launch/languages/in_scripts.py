"""Texts of scripts: what `gettext` and `ngettext` are given, and the words of a table that is given to them."""

from __future__ import annotations

import json
import re

from portal.launch.languages.found import PROJECT, Texts, name_of

FOLDERS = ("portal/static", "tasks/ui/static")
STRING = r'"(?:[^"\\\n]|\\.)*"'
CALL = re.compile(rf"\bn?gettext\(\s*({STRING})(?:,\s*({STRING}))?")
# A constant in capitals, up to its closing bracket at the beginning of a line; of those whose words gettext is given.
TABLE = re.compile(r"^const AGO = \[\n.*?^\];", re.MULTILINE | re.DOTALL)


def collect(texts: Texts) -> None:
    for folder in FOLDERS:
        for path in sorted((PROJECT / folder).rglob("*.js")):
            if "vendor" not in path.parts:
                source = path.read_text()
                found = CALL.findall(source)
                for table in TABLE.findall(source):
                    found += [(literal, "") for literal in re.findall(STRING, table)]
                for text, plural in found:
                    texts.add(json.loads(text), name_of(path), json.loads(plural) if plural else "")
