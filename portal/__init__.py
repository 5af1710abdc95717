"""Portal, a self-hosted task portal for AI work: the project's wiring, pages and one-command start."""

__version__ = "0.1.0"
