"""Operators' clients and tasks that fail, as the screens' tests have them."""

from tests.admin.conftest import make_operator, node, operator, signed_in, viewer

__all__ = ["make_operator", "node", "operator", "signed_in", "viewer"]
