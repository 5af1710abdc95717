"""What is counted when somebody might be guessing: passwords, codes of second factors, and accounts made by the dozen.

The numbers are free tries, and the longest wait in seconds between those that follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, IPv6Network, ip_address

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase

from accounts.known_browsers import account_name, browser_of
from accounts.pace import Counter, TooOften, take

# Of an address of IPv6 its network: one customer has all of it.
IPV6_PREFIX = 64
# So many tries of an address at an account are its first, and count apart; after so long, one more is.
NEW_TRIES = 3
NEW_SECONDS = 8 * 3600

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class Try:
    """One try; `succeeded` is said by who has seen the password or code to be right."""

    def __init__(self) -> None:
        self.is_right = False

    def succeeded(self) -> None:
        self.is_right = True


@contextmanager
def one_try(request: HttpRequest, what: str, email: str) -> Iterator[Try]:
    """Count a try to show that one is this account; a right one counts for nothing.

    Raises:
        ValidationError: there were too many; nothing was tried. The answer becomes 429 with `Retry-After`.
    """
    tried = Try()
    with _said_in_a_form(request):
        give_back = _take_turn(request, what, email)
    yield tried
    if tried.is_right:
        give_back()


def count_sign_up(request: HttpRequest) -> None:
    """Count an account that somebody wants to make.

    Raises:
        ValidationError: they have made too many.
    """
    with _said_in_a_form(request):
        take([Counter("sign-up", (source(request),), free=10, seconds=60)])


def count_passkey(request: HttpRequest) -> None:
    """Count a question for a passkey: each is kept in a session until it is answered, whoever asks.

    Raises:
        TooOften: there were too many.
    """
    take([Counter("passkey address", (source(request),), free=30, seconds=6)])


def _take_turn(request: HttpRequest, what: str, email: str) -> Callable[[], None]:
    """Count a try, the narrowest counter first; return what gives it back.

    A known browser of the account has a counter of its own and no other: whoever hammers the account, or shares the
    address, does not slow it down. The first tries of an address wait for none but first tries of others: so few
    addresses, however often they try, do not keep out the owner at another.
    """
    account, address = account_name(email), source(request)
    if browser := browser_of(request, email):
        return take([Counter(f"{what} known", (account, browser), free=10, seconds=60)])
    own = Counter(f"{what} new", (account, address), free=NEW_TRIES, seconds=NEW_SECONDS, first_wait=NEW_SECONDS)
    narrow = [
        Counter(f"{what} account address", (account, address), free=5, seconds=60),
        Counter(f"{what} address", (address,), free=30, seconds=6),
    ]
    try:
        return take([own, *narrow, Counter(f"{what} account new", (account,), free=20, seconds=60)])
    except TooOften as refusal:
        if refusal.counter != own:
            raise
    return take([*narrow, Counter(f"{what} account", (account,), free=20, seconds=60)])


def source(request: HttpRequest) -> str:
    """Return the address that a try is counted for."""
    given = request.META.get("REMOTE_ADDR", "")
    try:
        address = ip_address(given)
    except ValueError:
        return str(given)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, IPV6_PREFIX), strict=False).network_address)
    return str(address)


class RetryAfterMiddleware:
    """Makes 429 with `Retry-After` of a form that was not looked at."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        seconds = getattr(request, "retry_after_seconds", None)
        if seconds is not None:
            response.status_code = 429
            response.headers["Retry-After"] = str(seconds)
        return response


@contextmanager
def _said_in_a_form(request: HttpRequest) -> Iterator[None]:
    try:
        yield
    except TooOften as refusal:
        seconds = refusal.retry_after_seconds
        request.retry_after_seconds = seconds  # type: ignore[attr-defined]
        unit = "second" if seconds == 1 else "seconds"
        raise ValidationError(f"Too many tries. Try again in {seconds} {unit}.", code="too_often") from refusal
