"""What a name may be, checked wherever one comes in.

Queues, clusters and task types stand in addresses, channels, metric labels and file names, so theirs are slugs. Model
servers and nodes are named for people: a line of text. Both patterns mean the same to Python and to Postgres.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from django.core.exceptions import ValidationError

SLUG = r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z"
SLUG_RULE = "begins with a letter or a digit and has at most 100 letters, digits, dots, dashes and underscores of ASCII"

MOST_OF_A_LINE = 200
MAX_TAGS, MAX_TAG_LENGTH = 20, 100
# Why somebody paused something.
MOST_OF_A_REASON = 200
MOST_OF_A_FILE_NAME = 80
# In bytes, as file systems count: 85 Chinese characters.
MAX_NAME_BYTES = 255
# Without control characters, line separators and what turns the direction of writing.
_LINE_CHARACTERS = r"\u0001-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069"
LINE = rf"\A[^ {_LINE_CHARACTERS}][^{_LINE_CHARACTERS}]{{0,{MOST_OF_A_LINE - 1}}}\Z"
_NOT_IN_FILES = re.compile(rf'[\\/:*?"<>|\u0000{_LINE_CHARACTERS}]')
# The same for JSON Schema, which counts the characters by itself.
LINE_PATTERN = rf"^[^ \u0000{_LINE_CHARACTERS}][^\u0000{_LINE_CHARACTERS}]*$"
LINE_RULE = f"is one line of at most {MOST_OF_A_LINE} characters and does not begin with a space"


def is_slug(name: str) -> bool:
    """Return whether a queue, cluster or task type may be called so.

    >>> is_slug("pdf.extract"), is_slug("My Queue/1"), is_slug("..")
    (True, False, False)
    """
    return re.match(SLUG, name) is not None


def is_line(name: str) -> bool:
    r"""Return whether a model server or a node may be called so.

    >>> is_line("GPU 1 (spare)"), is_line("two\nlines"), is_line("")
    (True, False, False)
    """
    return re.match(LINE, name) is not None and "\0" not in name


def file_name(name: str) -> str:
    r"""Return a name as a file may be called on any system; empty where nothing is left of it.

    >>> file_name("../a:b?.pdf"), len(file_name("x" * 300)), file_name("..")
    ('a b .pdf', 80, '')
    """
    return " ".join(_NOT_IN_FILES.sub(" ", name).split()).strip(". ")[:MOST_OF_A_FILE_NAME].strip(". ")


def file_stem(name: str) -> str:
    """Return the same without its ending.

    >>> file_stem("invoice-2027.pdf"), file_stem("When? Today: 7/8")
    ('invoice-2027', 'When Today 7 8')
    """
    return file_name(re.sub(r"\.[A-Za-z0-9]{1,5}$", "", name))


def made_of(name: str, ending: str) -> str:
    r"""Return what a file is called that is made of another one; of a long name only the beginning.

    >>> made_of("scan.pdf", "-searchable.pdf"), len(made_of("汉" * 85, ".srt").encode())
    ('scan-searchable.pdf', 253)
    """
    room = MAX_NAME_BYTES - len(ending.encode())
    return PurePath(name).stem.encode("utf-8", "replace")[:room].decode("utf-8", "ignore") + ending


def validate_slug(name: str) -> None:
    """Check a name in a form.

    Raises:
        ValidationError: it is no slug.
    """
    if not is_slug(name):
        raise ValidationError(f"A name here {SLUG_RULE}.", code="not_a_slug")


def validate_line(name: str) -> None:
    """Check a name for people in a form.

    Raises:
        ValidationError: it is more than a line.
    """
    if not is_line(name):
        raise ValidationError(f"A name {LINE_RULE}.", code="not_a_line")
