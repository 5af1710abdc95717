"""Names of currencies and units in the languages of documents."""

from __future__ import annotations

CURRENCIES = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "$": "USD", "us$": "USD", "usd": "USD", "dollars": "USD",
    "£": "GBP", "gbp": "GBP", "pounds": "GBP", "¥": "¥", "jpy": "JPY", "chf": "CHF", "sek": "SEK", "nok": "NOK",
    "dkk": "DKK", "pln": "PLN", "czk": "CZK", "cad": "CAD", "aud": "AUD", "cny": "CNY", "inr": "INR", "₹": "INR",
    "rmb": "CNY", "人民币": "CNY", "人民幣": "CNY", "元": "元", "圆": "元", "圓": "元", "yuan": "CNY",
    "renminbi": "CNY",
    "円": "JPY", "yen": "JPY", "日元": "JPY", "日圆": "JPY", "美元": "USD", "欧元": "EUR", "歐元": "EUR", "英镑": "GBP",
    "hk$": "HKD", "hkd": "HKD", "港元": "HKD", "港币": "HKD", "港幣": "HKD", "nt$": "TWD", "twd": "TWD",
    "新台币": "TWD", "新臺幣": "TWD", "新台幣": "TWD", "a$": "AUD", "c$": "CAD", "krw": "KRW", "₩": "KRW", "sgd": "SGD",
    "dollar": "USD", "pfund": "GBP", "franken": "CHF", "rub": "RUB", "₽": "RUB", "brl": "BRL", "r$": "BRL",
}  # fmt: skip
# Unit: what it is converted to, and how many of that it is.
UNITS: dict[str, tuple[str, str]] = {
    "mg": ("g", "0.001"), "g": ("g", "1"), "kg": ("g", "1000"), "t": ("g", "1000000"), "tonnes": ("g", "1000000"),
    "mm": ("m", "0.001"), "cm": ("m", "0.01"), "m": ("m", "1"), "km": ("m", "1000"), "metres": ("m", "1"),
    "meters": ("m", "1"), "kilometres": ("m", "1000"), "feet": ("ft", "1"), "ft": ("ft", "1"), "miles": ("mi", "1"),
    "ml": ("l", "0.001"), "l": ("l", "1"), "litres": ("l", "1"), "liters": ("l", "1"),
    "min": ("min", "1"), "minutes": ("min", "1"), "h": ("min", "60"), "hours": ("min", "60"), "hour": ("min", "60"),
    "days": ("day", "1"), "day": ("day", "1"), "weeks": ("day", "7"), "nights": ("night", "1"),
    "months": ("month", "1"), "years": ("month", "12"), "kwh": ("kWh", "1"), "mwh": ("kWh", "1000"), "kw": ("kW", "1"),
    "pcs": ("piece", "1"), "pieces": ("piece", "1"), "units": ("piece", "1"), "items": ("piece", "1"),
    "°c": ("°C", "1"), "km/h": ("km/h", "1"), "m²": ("m²", "1"), "m2": ("m²", "1"), "m³": ("m³", "1"),
    "tonnen": ("g", "1000000"), "gramm": ("g", "1"), "meter": ("m", "1"), "liter": ("l", "1"), "stunden": ("min", "60"),
    "minuten": ("min", "1"), "tag": ("day", "1"), "tage": ("day", "1"), "tagen": ("day", "1"), "wochen": ("day", "7"),
    "monate": ("month", "1"), "monaten": ("month", "1"), "jahre": ("month", "12"), "jahren": ("month", "12"),
    "stück": ("piece", "1"), "stk": ("piece", "1"), "qm": ("m²", "1"),
    "公斤": ("g", "1000"), "千克": ("g", "1000"), "克": ("g", "1"), "吨": ("g", "1000000"), "噸": ("g", "1000000"),
    "米": ("m", "1"), "厘米": ("m", "0.01"), "毫米": ("m", "0.001"), "公里": ("m", "1000"), "千米": ("m", "1000"),
    "升": ("l", "1"), "毫升": ("l", "0.001"), "平方米": ("m²", "1"),
    "㎡": ("m²", "1"), "立方米": ("m³", "1"), "分钟": ("min", "1"),
    "小时": ("min", "60"), "天": ("day", "1"), "日": ("day", "1"), "周": ("day", "7"), "个月": ("month", "1"),
    "年": ("month", "12"), "件": ("piece", "1"), "台": ("piece", "1"), "个": ("piece", "1"), "套": ("piece", "1"),
    "箱": ("box", "1"), "℃": ("°C", "1"),
}  # fmt: skip
