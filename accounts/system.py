"""The account of the installation itself: it owns the tasks that no user submitted, like deliveries of webhooks."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from accounts.models import Plan, User

# `.invalid` is nobody's (RFC 2606): no mail goes there, and nobody can have the address.
DOMAIN = "portal.invalid"
EMAIL = f"system@{DOMAIN}"
PLAN = "Internal"


def system_user() -> User:
    """Return the system's account; it is made at the first call. Nobody can sign in as it: it has no password.

    It always has the plan Internal, or, where operators removed that, the default one.
    """
    user = User.objects.select_related("plan").filter(email=EMAIL).first()
    return user or _make()


def is_system(user: User) -> bool:
    """Return whether this is the system's own account."""
    return user.email == EMAIL


def is_reserved(email: str) -> bool:
    """Return whether an address is kept for the installation: the first to sign up with it would be the system."""
    return email.strip().lower().rpartition("@")[2].rstrip(".") == DOMAIN


def _make() -> User:
    plan = Plan.objects.filter(name=PLAN).first() or Plan.objects.get(is_default=True)
    try:
        with transaction.atomic():
            return User.objects.create_user(EMAIL, None, name="The portal itself", plan=plan)
    except IntegrityError:
        # Another process made it at the same moment.
        return User.objects.select_related("plan").get(email=EMAIL)
