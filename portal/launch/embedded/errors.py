"""What goes wrong with the embedded Postgres, as one sentence that says what to do."""


class EmbeddedError(Exception):
    """The embedded Postgres cannot be used here; the message says why and what to do."""
