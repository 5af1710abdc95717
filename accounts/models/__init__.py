"""The tables of accounts."""

from accounts.models.pace import Pace
from accounts.models.plan import Plan, PlanOverride
from accounts.models.token import ApiToken
from accounts.models.user import User

__all__ = ["ApiToken", "Pace", "Plan", "PlanOverride", "User"]
