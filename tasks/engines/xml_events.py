"""Reads untrusted XML as a stream of events, without document types: no entities, nothing fetched, little memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.parsers import expat

from tasks.errors import UnreadableFile


class XmlReader:
    """Subclasses say what they do with elements; names come without their namespaces."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """Text inside an element; may come in pieces."""

    def read(self, data: bytes) -> None:
        """Parse a whole document.

        Raises:
            UnreadableFile: it is not well-formed, or declares a document type.
        """
        parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse
        parser.StartElementHandler = lambda name, attributes: self.start(
            _local(name), {_local(key): value for key, value in attributes.items()}
        )
        parser.EndElementHandler = lambda name: self.end(_local(name))
        parser.CharacterDataHandler = self.text
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise UnreadableFile("The file is broken: a part of it is not XML.") from error


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _refuse(*declared: Any) -> None:
    raise UnreadableFile("The file declares a document type in its XML, which is not read here.")
