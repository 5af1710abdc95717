"""What kind of answer a question asks for (a number, a time, a place, a person), and whether a sentence has one."""

from __future__ import annotations

import re

Kind = tuple[re.Pattern[str], ...]

_NUMBER_WORD = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    "eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|dozen|half"
)
_SPAN = "second|minute|hour|day|night|week|fortnight|month|year|decade|century|centurie"
_LENGTH = "mm|cm|m|km|millimetre|centimetre|metre|meter|kilometre|kilometer|inch|inche|foot|feet|yard|mile|page|word"
_DATED = (
    "january|february|march|april|may|june|july|august|september|october|november|december|monday|tuesday|wednesday|"
    "thursday|friday|saturday|sunday|spring|summer|autumn|winter|morning|noon|afternoon|evening|night|midnight|daily|"
    "weekly|monthly|yearly|annually|easter|christmas|sunset|sunrise|dawn|dusk|before|after|until|while|once|every"
)
_NAME = (
    r"(?<!^)(?<![.!?]\s)\b[A-Z][\w’'-]+|"  # a capital letter inside a sentence
    r"^[A-Z][\w’'-]+\s+[A-Z]|"
    r"^[A-Z][a-z]+\s+(?:is|was|has|had|wrote|made)\b"
)
_ROLE = r"\b(?:\w+(?:er|or|ist|ian|man|men|woman|ant|ent)|chief|head|staff|team|board|people|children|police)s?\b"

NUMBER: Kind = (re.compile(rf"\d|\b(?:{_NUMBER_WORD}|once|twice|free|none|no)\b", re.IGNORECASE),)
DURATION: Kind = (
    re.compile(
        rf"(?:\d|\b(?:{_NUMBER_WORD}|several|few|many))[\s-]*(?:{_NUMBER_WORD})?[\s-]*(?:{_SPAN}|{_LENGTH})s?\b|"
        r"\buntil\b|\d\s*[-–]\s*\d",
        re.IGNORECASE,
    ),
)
TIME: Kind = (re.compile(rf"\d|\b(?:{_DATED}|{_SPAN})s?\b", re.IGNORECASE),)
PLACE: Kind = (
    re.compile(
        r"\b(?:in|at|on|near|from|to|under|above|behind|beside|between|inside|outside|by|next|of)\b", re.IGNORECASE
    ),
)
PERSON: Kind = (re.compile(_NAME), re.compile(_ROLE))

_MEASURED = "price|cost|fee|number|total|amount|temperature|age|height|weight|length|width|depth|speed|percentage|share"
_COUNTED = "size|salary|budget|revenue|population|rate|limit|score"
_GRADED = "much|many|far|high|tall|old|big|large|deep|wide|heavy|fast|often|late|early|hot|cold|warm|steep|small|thick"
_ASKED: list[tuple[re.Pattern[str], Kind]] = [
    (re.compile(r"\bhow long\b", re.IGNORECASE), DURATION),
    (
        re.compile(
            rf"\bhow (?:{_GRADED})\b|"
            rf"\bwhat (?:is|was|are|were) the (?:\w+ ){{0,3}}(?:{_MEASURED}|{_COUNTED})\b",
            re.IGNORECASE,
        ),
        NUMBER,
    ),
    (
        re.compile(r"\bwhen\b|\bwhat (?:year|date|day|time|month)\b|\bwhich (?:year|date|day|month)\b", re.IGNORECASE),
        TIME,
    ),
    (re.compile(r"\bwhere\b", re.IGNORECASE), PLACE),
    (re.compile(r"\bwho(?:se|m)?\b", re.IGNORECASE), PERSON),
]


def kind_asked(question: str) -> Kind:
    """Return the patterns of which an answer must show one; none when any sentence may answer."""
    return next((kind for asks, kind in _ASKED if asks.search(question)), ())


def shows(sentence: str, kind: Kind) -> bool:
    """Return whether a sentence has a value of the kind asked for.

    >>> shows("It stands by the door.", NUMBER), shows("It weighs eleven tonnes.", NUMBER)
    (False, True)
    """
    return not kind or any(pattern.search(sentence) for pattern in kind)
