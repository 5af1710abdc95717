"""Chinese and other writing without spaces: what a question asks about, and how much of it a text covers.

Every two neighbouring signs are a search term, as most Chinese words have two. There is no dictionary of words: see
docs/decisions/0060.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from tasks.engines.word_lists import read_list

CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
# The longest first: "什么时候" is more than "什么".
_SILENT = sorted((word for line in read_list("silent_chinese") for word in line), key=len, reverse=True)
# How many of what: "多少件", "几个".
_MEASURES = r"(?:多少|几)[个件人台辆名页天年米支条张位家次本只间层岁块吨克栋]"
SILENT = re.compile("|".join([_MEASURES, *map(re.escape, _SILENT)]))


def bigrams(run: str) -> list[str]:
    """Return every two neighbouring signs of a run, or its only one.

    >>> bigrams("合同金额"), bigrams("谁")
    (['合同', '同金', '金额'], ['谁'])
    """
    return [run[place : place + 2] for place in range(max(1, len(run) - 1))]


def asked_runs(text: str) -> list[str]:
    """Return what is left of the runs of a question without the words that only ask.

    >>> asked_runs("合同总金额是多少？"), asked_runs("E3是什么意思？"), asked_runs("What is 税额?")
    (['合同总金额'], [], ['税额'])
    """
    return [run for part in CJK.findall(text) for run in SILENT.sub(" ", part).split()]


def covered(run: str, terms: Collection[str]) -> float:
    """Return the share of a run's signs that stand in a pair that a text has: words of two signs, wherever they begin.

    >>> covered("预付款比例", {"预付", "付款"}), covered("运费", {"运费"}), covered("猫", {"小猫"})
    (0.6, 1.0, 0.0)
    """
    if len(run) == 1:
        return float(run in terms)
    found = set()
    for place in range(len(run) - 1):
        if run[place : place + 2] in terms:
            found |= {place, place + 1}
    return len(found) / len(run)


def missing_parts(run: str, terms: Collection[str]) -> list[str]:
    """Return the parts of a run of which a text has no pair.

    >>> missing_parts("预付款比例", {"预付", "付款"})
    ['比例']
    """
    marks = [" "] * len(run)
    for place in range(len(run) - 1):
        if run[place : place + 2] in terms:
            marks[place] = marks[place + 1] = "x"
    if len(run) == 1 and run in terms:
        return []
    return "".join(sign if mark == " " else " " for sign, mark in zip(run, marks, strict=True)).split()


def shared_signs(runs: Collection[str], text: str) -> float:
    """Return the share of the runs' signs that a text has anywhere: words of like meaning often share one of their two.

    >>> shared_signs(["房租"], "每月租金4200元"), shared_signs([], "租金")
    (0.5, 0.0)
    """
    signs = "".join(runs)
    return sum(sign in text for sign in signs) / len(signs) if signs else 0.0


def is_cjk(text: str) -> bool:
    """Return whether most letters of a text are of writing without spaces.

    >>> is_cjk("合同编号 HT-1"), is_cjk("The lease of a flat, 房"), is_cjk("178.25")
    (True, False, False)
    """
    signs = sum(map(len, CJK.findall(text)))
    # A word of some four letters is a sign's worth.
    others = sum(character.isalpha() for character in text) - signs
    return signs > others / 4
