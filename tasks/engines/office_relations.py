"""Follows the links between the parts of an office file."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from tasks.engines.xml_events import XmlReader
from tasks.engines.zip_members import ZipMembers


class _Relations(XmlReader):
    """Where a part's ids lead: names of other parts, with their types' last words."""

    def __init__(self, part: str) -> None:
        self._folder = posixpath.dirname(part)
        self.targets: dict[str, tuple[str, str]] = {}

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", self._folder, attributes.get("Target", ""))).lstrip("/")
            self.targets[attributes.get("Id", "")] = (target, attributes.get("Type", "").rpartition("/")[2])


def relations_of(archive: ZipMembers, part: str) -> dict[str, tuple[str, str]]:
    """Return where a part's links lead by their ids: the other part's name and the kind of link."""
    folder, name = posixpath.split(part)
    reader = _Relations(part)
    if data := archive.read(f"{folder}/_rels/{name}.rels"):
        reader.read(data)
    return reader.targets
