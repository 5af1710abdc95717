"""Who uses the portal and what they may use: users, plans, overrides, API tokens, sign-in."""
