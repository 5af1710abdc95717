"""What commands are told by its name, or a sentence that there is none."""

from __future__ import annotations

from django.core.management.base import CommandError

from accounts.models import ApiToken, Plan, User


def user_of(email: str) -> User:
    """Return the user with this address.

    Raises:
        CommandError: there is none.
    """
    user = User.objects.select_related("plan").filter(email__iexact=email.strip()).first()
    if user is None:
        raise CommandError(f"There is no user with the address {email}.")
    return user


def plan_of(name: str) -> Plan:
    """Return the plan of this name.

    Raises:
        CommandError: there is none.
    """
    plan = Plan.objects.filter(name__iexact=name.strip()).first()
    if plan is None:
        names = ", ".join(Plan.objects.values_list("name", flat=True))
        raise CommandError(f"There is no plan {name}. There are: {names}.")
    return plan


def token_of(text: str) -> ApiToken:
    """Return the token with this id, as `token list` shows it; of a whole token, only its id is looked at.

    Raises:
        CommandError: there is none.
    """
    token_id = text.strip().removeprefix("ptl_")[:16]
    token = ApiToken.objects.select_related("user").filter(pk=token_id.replace("\0", "")).first()
    if token is None:
        raise CommandError("There is no token of this id.")
    return token
