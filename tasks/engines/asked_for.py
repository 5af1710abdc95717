"""What kind of answer a question asks for (a number, a time, a place, a person), and whether a sentence has one."""

from __future__ import annotations

import re

from tasks.engines.asked_for_chinese import NUMBER as CHINESE_NUMBER
from tasks.engines.asked_for_chinese import kind_asked_in_chinese

Kind = tuple[re.Pattern[str], ...]

_NUMBER_WORD = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    "eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|dozen|half"
)
_SPAN = "h|hr|min|sec|second|minute|hour|day|night|week|fortnight|month|year|decade|century|centurie"
_LENGTH = "mm|cm|m|km|millimetre|centimetre|metre|meter|kilometre|kilometer|inch|inche|foot|feet|yard|mile|page|word"
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_DATED = (
    f"{_MONTHS}|monday|tuesday|wednesday|"
    "thursday|friday|saturday|sunday|spring|summer|autumn|winter|morning|noon|afternoon|evening|night|midnight|daily|"
    "weekly|monthly|yearly|annually|easter|christmas|sunset|sunrise|dawn|dusk|before|after|until|while|once|every"
)
_NAME = (
    r"(?<!^)(?<![.!?]\s)\b[A-Z][\w’'-]+|"  # a capital letter inside a sentence
    r"^[A-Z][\w’'-]+\s+[A-Z]|"
    r"^[A-Z][a-z]+\s+(?:is|was|has|had|wrote|made)\b"
)
# Words that end like those for people, and are none.
_NO_ROLE = "after|other|another|over|under|never|ever|however|water|number|order|paper|letter|either|whether|later|her|"
_NO_ROLE += (
    "per|for|nor|or|power|offer|former|lower|upper|higher|longer|shorter|earlier|cover|winter|summer|floor|door|"
)
_NO_ROLE += "color|error|motor|major|minor|quarter|matter|rather|together|further|prior|remainder|transfer|register"
_ROLE = (
    rf"\b(?!(?:{_NO_ROLE})s?\b)(?:\w+(?:er|or|ist|ian|man|men|woman)|student|tenant|president|accountant|assistant|agent|"
    r"consultant|client|resident|participant|applicant|attendant|merchant|parent|chief|head|staff|team|board|people|"
    r"children|police|desk|department|office|service|centre|center|company|committee)s?\b"
)

# Not those of a code, like HL-650.
_OWN_DIGIT = r"(?<![A-Za-z\d])(?<![A-Za-z\d]-)\d"
NUMBER: Kind = (re.compile(rf"{_OWN_DIGIT}|\b(?:{_NUMBER_WORD}|once|twice|free|none|no)\b", re.IGNORECASE),)
DURATION: Kind = (
    re.compile(
        rf"(?<!every )(?<!each )(?:\d|\b(?:{_NUMBER_WORD}|several|few|many))[\s-]*(?:{_NUMBER_WORD})?[\s-]*"
        rf"(?:{_SPAN}|{_LENGTH})s?\b|"
        r"\buntil\b|\d\s*[-–]\s*\d",
        re.IGNORECASE,
    ),
)
TIME: Kind = (
    re.compile(
        rf"\b(?:{_DATED}|{_SPAN})s?\b|\d[:.]\d\d\b|\b\d{{1,2}}\s*(?:am|pm|a\.m|p\.m|o.clock)|\b[12]\d{{3}}\b|"
        r"\b\d{4}-\d\d-\d\d\b|\b\d{1,2}/\d{1,2}/\d{2,4}\b|\b\d{1,2}\.\d{1,2}\.\d{2,4}\b|\d[年月日]",
        re.IGNORECASE,
    ),
)
PLACE: Kind = (
    re.compile(
        r"\b(?:in|at|on|near|from|to|under|above|behind|beside|between|inside|outside|by|next|of)\b"
        rf"(?!\s+(?:{_DATED})\b)",
        re.IGNORECASE,
    ),
)
PERSON: Kind = (re.compile(_NAME), re.compile(_ROLE))
_MASS = r"mg|g|kg|t|lbs?|kilo\w*|grams?|tonn?e?s?|pounds?|ounces?"
WEIGHT: Kind = (re.compile(rf"(?:\d|\b(?:{_NUMBER_WORD}))[\s-]*(?:{_MASS})\b", re.IGNORECASE),)
# Of six digits at least: shorter are salaries and postcodes more often than telephones.
CONTACT: Kind = (re.compile(r"(?:\d[\s()./-]*){6}|@"),)
FREQUENCY: Kind = (
    re.compile(
        r"\b(?:every|each|daily|weekly|monthly|yearly|annually|once|twice|times|always|never|after)\b", re.IGNORECASE
    ),
)
NOISE: Kind = (re.compile(r"\d\s*(?:dB|decibel)", re.IGNORECASE),)
CODE: Kind = (re.compile(r"\d"),)
COLOUR: Kind = (
    re.compile(
        r"\b(?:red|blue|green|yellow|black|white|grey|gray|brown|orange|pink|purple|violet|silver|gold|golden|beige|amber|"
        r"clear|dark|light|turquoise|transparent|colou?rless)\b",
        re.IGNORECASE,
    ),
)
TEMPERATURE: Kind = (re.compile(rf"(?:\d|\b(?:{_NUMBER_WORD}))\s*(?:°|degree)", re.IGNORECASE),)

_MEASURED = "price|cost|fee|number|total|amount|temperature|age|height|weight|length|width|depth|speed|percentage|share"
_COUNTED = "size|salary|budget|revenue|population|rate|limit|score"
_GRADED = "much|many|far|high|tall|old|big|large|deep|wide|heavy|fast|often|late|early|hot|cold|warm|steep|small|thick"
_ASKED: list[tuple[re.Pattern[str], Kind]] = [
    (
        re.compile(
            rf"\bhow (?:long|quickly|soon)\b|\bhow many (?:{_SPAN})s?\b|"
            r"\b(?:what|which)(?: \w+){0,3} (?:period|duration)\b",
            re.IGNORECASE,
        ),
        DURATION,
    ),
    (re.compile(r"\b(?:phone|telephone|fax|mobile (?:phone|number))\b|\be-?mail address\b", re.IGNORECASE), CONTACT),
    (re.compile(r"\bwhat(?: is| was|.s) (?:\w+ ){0,4}(?:number\b(?! of\b)|code\b)", re.IGNORECASE), CODE),
    (re.compile(r"\bwh(?:at|ich) colou?rs?\b", re.IGNORECASE), COLOUR),
    (re.compile(r"\bhow often\b", re.IGNORECASE), FREQUENCY),
    (re.compile(r"\bhow loud\b|\bnoise level\b", re.IGNORECASE), NOISE),
    (re.compile(r"\bhow heavy\b|\bweigh\b|\bwhat (?:is|was) the weight\b", re.IGNORECASE), WEIGHT),
    (re.compile(r"\bhow (?:hot|cold|warm)\b|\b(?:what|which) temperature\b", re.IGNORECASE), TEMPERATURE),
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
    return next((kind for asks, kind in _ASKED if asks.search(question)), ()) or kind_asked_in_chinese(question)


# What a line of a form says stands behind its label. No end: a label may hold a time or an address.
LABELLED = re.compile(r"^[^:：.。,，;；]{1,40}(?::\s|：)\s*(?=\S)")
# Dates, times and telephone numbers are no numbers of anything, and their months no names.
DATES = re.compile(
    rf"\d{{1,2}}(?:st|nd|rd|th)?\s+(?:{_MONTHS})\b(?:,?\s+\d{{4}})?|\b(?:{_MONTHS})\s+\d{{1,2}}(?:,\s*\d{{4}})?\b|"
    r"\d{4}年(?:\d{1,2}月)?(?:\d{1,2}日)?|\d{1,2}月\d{1,2}日|[\d一二三四五六七八九十]+点半?|"
    r"\b\d{3,4}-\d{3,4}(?:-\d+)*\b|\b\d{4}-\d\d-\d\d\b|\b\d{1,2}:\d\d\b",
    re.IGNORECASE,
)


# In digits alone, as telephone numbers are.
DAYS = re.compile(r"\b\d{4}-\d\d-\d\d\b|\b\d{1,2}[./]\d{1,2}[./]\d{4}\b")


def shows(sentence: str, kind: Kind) -> bool:
    """Return whether a sentence has a value of the kind asked for.

    >>> shows("It stands by the door.", NUMBER), shows("It weighs eleven tonnes.", NUMBER)
    (False, True)
    >>> shows("Tom Eder; Salary: 38900; Since: 2021-07-15", CONTACT), shows("Call 030 1234-5.", CONTACT)
    (False, True)
    >>> shows("Signed on 3 May 2022.", NUMBER), shows("Customer number: 12", PERSON)
    (False, False)
    """
    if not kind:
        return True
    said = LABELLED.sub("", sentence)
    if kind in (NUMBER, CHINESE_NUMBER, PERSON):
        said = DATES.sub(" ", said)
    elif kind == CONTACT:
        said = DAYS.sub(" ", said)
    return any(pattern.search(said) for pattern in kind)
