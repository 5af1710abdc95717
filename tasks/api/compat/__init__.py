"""Routes for the clients of systems that the portal replaces: a module each, translating words and shapes only.

Authentication, limits and tasks are the portal's own. docs/compatibility.md describes each route.
"""
