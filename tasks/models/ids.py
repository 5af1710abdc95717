"""Identifiers: UUIDv7 (RFC 9562), so that ids sort by creation and indexes stay local."""

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    return uuid_utils.compat.uuid7()
