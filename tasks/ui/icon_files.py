"""Reads icons: SVG files of 24 × 24, of which only shapes are drawn, in the colour of the text around them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

ICONS = Path(__file__).parent / "icons"
SIZE = "0 0 24 24"
SHAPES = {"path", "circle", "ellipse", "rect", "line", "polyline", "polygon", "g"}
ATTRIBUTES = {
    "d", "points", "x", "y", "width", "height", "rx", "ry", "cx", "cy", "r", "x1", "y1", "x2", "y2", "transform",
    "fill", "stroke", "stroke-width", "fill-rule", "clip-rule", "opacity",
}  # fmt: skip


class UnusableIcon(ValueError):
    """An icon cannot be drawn; the message says why."""


@cache
def shapes_of(icon: str | Path) -> SafeString:
    """Return the shapes of an icon: one of tasks/ui/icons by its name, or the file of an app.

    Scripts, styles and links would have no business in a page; they are refused, not cleaned.

    Raises:
        UnusableIcon: there is no such file, or something else than shapes is in it.
    """
    file = icon if isinstance(icon, Path) else ICONS / f"{icon}.svg"
    try:
        # The file belongs to the code of an app, as trusted as that.
        picture = ElementTree.parse(file).getroot()  # noqa: S314
    except OSError as error:
        known = "" if isinstance(icon, Path) else "; docs/task-types.md says which names there are"
        raise UnusableIcon(f"{file} cannot be read ({error.strerror}){known}.") from error
    except ElementTree.ParseError as error:
        raise UnusableIcon(f"{file} is not an SVG: {error}.") from error
    if picture.get("viewBox") != SIZE:
        raise UnusableIcon(f'{file} is not drawn on the grid that icons have: viewBox="{SIZE}".')
    return _drawn(list(picture), file)


def _drawn(elements: list[ElementTree.Element], file: Path) -> SafeString:
    return format_html_join(" ", "{}", ((_shape(element, file),) for element in elements))


def _shape(element: ElementTree.Element, file: Path) -> SafeString:
    name = element.tag.rpartition("}")[2]
    if name not in SHAPES or not element.attrib.keys() <= ATTRIBUTES:
        strange = name if name not in SHAPES else min(element.attrib.keys() - ATTRIBUTES)
        raise UnusableIcon(
            f"{file} has {strange!r}; icons are made of {', '.join(sorted(SHAPES))} and plain attributes."
        )
    attributes = format_html_join(" ", '{}="{}"', element.attrib.items())
    return format_html("<{0} {1}>{2}</{0}>", SafeString(name), attributes, _drawn(list(element), file))
