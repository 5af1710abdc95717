"""The views, one file a resource: each reads the request, calls one function of the core, answers."""
