"""Names a browser and its system from what it says of itself, for people to tell their own apart: a guess."""

from __future__ import annotations

import re

# The first that is found counts: nearly all call themselves Mozilla, and many Chrome or Safari besides.
BROWSERS = (
    (r"Edg(?:e|A|iOS)?/(\d+)", "Edge"), (r"OPR/(\d+)", "Opera"), (r"SamsungBrowser/(\d+)", "Samsung Internet"),
    (r"MicroMessenger/(\d+)", "WeChat"), (r"(?:Firefox|FxiOS)/(\d+)", "Firefox"),
    (r"(?:HeadlessChrome|Chrome|CriOS|Chromium)/(\d+)", "Chrome"), (r"Version/(\d+)[\d.]* .*Safari/", "Safari"),
    (r"curl/(\d+)", "curl"), (r"python-httpx/(\d+\.\d+)", "Python, httpx"),
    (r"python-requests/(\d+\.\d+)", "Python, requests"), (r"Python/(\d+\.\d+)", "Python"),
)  # fmt: skip
SYSTEMS = (
    (r"iPhone|iPod", "iPhone"), (r"iPad", "iPad"), (r"Android", "Android"), (r"Windows", "Windows"),
    (r"Mac OS X|Macintosh", "macOS"), (r"CrOS", "ChromeOS"), (r"Linux|X11", "Linux"),
)  # fmt: skip


def browser_of(user_agent: str) -> str:
    """Return the browser with its version, or nothing where it is not known.

    >>> browser_of("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36")
    'Chrome 126'
    >>> browser_of("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1 Version/17.5 Safari/605.1")
    'Safari 17'
    >>> browser_of("python-httpx/0.28.1")
    'Python, httpx 0.28'
    >>> browser_of("something else")
    ''
    """
    for pattern, name in BROWSERS:
        if found := re.search(pattern, user_agent):
            return f"{name} {found[1]}"
    return ""


def system_of(user_agent: str) -> str:
    """Return the system, or nothing where it is not known.

    >>> system_of("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Gecko/20100101 Firefox/140.0"), system_of("")
    ('Windows', '')
    """
    return next((name for pattern, name in SYSTEMS if re.search(pattern, user_agent)), "")
