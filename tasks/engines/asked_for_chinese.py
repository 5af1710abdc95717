"""What kind of answer a Chinese question asks for: the patterns of which a sentence must show one."""

from __future__ import annotations

import re

Kind = tuple[re.Pattern[str], ...]

# Not those of a code, like HL-650.
_DIGIT = r"(?:(?<![A-Za-z\d])(?<![A-Za-z\d]-)\d|(?<=\d)\d|[零一二两三四五六七八九十百千万亿半])"
_SPAN = "个?工作日|秒|分钟|刻钟|小时|钟头|天|日|夜|周|星期|个?月|季度|年|世纪|米|公里|厘米|毫米"
_REACHED = "电话|热线|手机|传真|邮箱|联系方式|号码|账号|编号"
NUMBER: Kind = (re.compile(_DIGIT),)
DURATION: Kind = (re.compile(rf"{_DIGIT}+\s*多?个?半?(?:{_SPAN})|\d\s*[-–至到]\s*\d|[至到]\d"),)
TIME: Kind = (
    re.compile(rf"{_DIGIT}+\s*[年月号点时]|[月\d]{_DIGIT}*日|{_DIGIT}+\s*(?:日|天|年|周|个?月)之?[内前后]"),
    re.compile(r"\d:\d\d|\d{4}[-/.]\d|星期|周[一二三四五六日末]|每[年月周天日]|[春夏秋冬]季"),
    re.compile(r"上午|下午|中午|晚上|之[前后]|以[前后]|节假日"),
)
PLACE: Kind = (
    re.compile(r"[省市区县镇乡村路街巷号楼层室厅院校厂馆店站港湾山河湖岛国洲部处台]"),
    re.compile(r"位于|[在于到至][^，。]{1,12}?[里内上下旁边面中外]"),
)
MONEY: Kind = (
    re.compile(rf"{_DIGIT}\s*[余多]?\s*(?:元|块|万|亿|人民币|美元|欧元)|[¥￥$€]|免费|半价"),
    re.compile(r"[价额费金][^，。；]*\d"),
)
REASON: Kind = (re.compile(r"因|由于|为了|以便|以免|原因|导致|故"),)
FREQUENCY: Kind = (re.compile(r"每|次|一直|随时"),)
WEIGHT: Kind = (re.compile(rf"{_DIGIT}\s*(?:公?斤|千?克|吨|kg|g)", re.IGNORECASE),)
AREA: Kind = (re.compile(rf"{_DIGIT}\s*(?:平方|㎡|亩|公顷|m²)", re.IGNORECASE),)
TEMPERATURE: Kind = (re.compile(rf"{_DIGIT}\s*(?:℃|°|度|摄氏)"),)
COLOUR: Kind = (re.compile(r"[红橙黄绿蓝紫黑白灰棕粉银金青褐]|透明|米色"),)
CONTACT: Kind = (re.compile(r"\d{3,}|@"),)

_ASKED: list[tuple[re.Pattern[str], Kind]] = [
    (re.compile(rf"(?:{_REACHED})(?:号码)?(?:是|为)?(?:多少|什么|哪)"), CONTACT),
    (re.compile(r"多少钱"), MONEY),
    (re.compile(r"为什么|为何|原因是"), REASON),
    (re.compile(r"多久[^，。？]*一次|多长时间[^，。？]*一次"), FREQUENCY),
    (re.compile(r"多久|多长时间|几(?:天|年|个月|周|小时|分钟)|期限?(?:是|为|有)?多(?:长|久)"), DURATION),
    (re.compile(r"什么时[候间]|何时|几[点号月]|哪[一]?[天年月日]|(?:日期|时间)是"), TIME),
    (re.compile(r"什么颜色|颜色是"), COLOUR),
    (re.compile(r"多重|重量"), WEIGHT),
    (re.compile(r"面积"), AREA),
    (re.compile(r"温度|多热|多冷"), TEMPERATURE),
    (re.compile(r"多少|几[个次台件人名]|多[大高远深宽快长厚]|百分之几"), NUMBER),
    (re.compile(r"哪里|哪儿|何处|什么地方|(?:地址|地点|位置)是"), PLACE),
]


def kind_asked_in_chinese(question: str) -> Kind:
    """Return the patterns of which an answer must show one; none when any sentence may answer.

    >>> kind_asked_in_chinese("保修多久？") is DURATION, kind_asked_in_chinese("乙方是谁？")
    (True, ())
    """
    return next((kind for asks, kind in _ASKED if asks.search(question)), ())
