"""Rewrites code from `ThreadPoolExecutor` and `as_completed` to `tasks.futures`, keeping its layout (libcst)."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst
from libcst import matchers as m
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.codemod.visitors import AddImportsVisitor, RemoveImportsVisitor
from libcst.metadata import PositionProvider, QualifiedNameProvider

TARGET = "tasks.futures"
NEW_NAMES = {
    "concurrent.futures.ThreadPoolExecutor": "TaskPoolExecutor",
    "concurrent.futures.thread.ThreadPoolExecutor": "TaskPoolExecutor",
    "concurrent.futures.as_completed": "as_completed",
    "concurrent.futures._base.as_completed": "as_completed",
}
# What ThreadPoolExecutor takes, in order. Of a pool of threads only: a lane has slots.
PARAMETERS = ("max_workers", "thread_name_prefix", "initializer", "initargs")
DROPPED = {"max_workers", "thread_name_prefix"}


@dataclass
class Migrated:
    """The new code, or None when nothing is to do; `warnings` are for a person to look at, with line numbers."""

    code: str | None = None
    warnings: list[str] = field(default_factory=list)


def migrate(source: str) -> Migrated:
    """Rewrite one module.

    A pool that is subclassed, or given an initializer or arguments that cannot be read (``*args``),
    has no equal: then the module is left as it is, and a warning says why.

    Raises:
        libcst.ParserSyntaxError: the source is no Python that libcst knows.
    """
    if not any(name.rpartition(".")[2] in source for name in NEW_NAMES):
        return Migrated()
    command = _Rewrite(CodemodContext())
    code = command.transform_module(cst.parse_module(source)).code
    return Migrated(None if command.refused or code == source else code, command.warnings)


class _Rewrite(VisitorBasedCodemodCommand):
    METADATA_DEPENDENCIES = (QualifiedNameProvider, PositionProvider)

    def __init__(self, context: CodemodContext) -> None:
        super().__init__(context)
        self.warnings: list[str] = []
        self.refused = False

    # --- Names --------------------------------------------------------------------------------------

    def leave_ImportFrom(  # noqa: N802 - libcst's names
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.ImportFrom | cst.RemovalSentinel:
        """Take our names out of the import; they come from `tasks.futures` instead, under the same alias."""
        module = _dotted(original_node.module)
        if original_node.relative or isinstance(updated_node.names, cst.ImportStar):
            return updated_node
        ours = [alias for alias in updated_node.names if f"{module}.{alias.evaluated_name}" in NEW_NAMES]
        for alias in ours:
            name = NEW_NAMES[f"{module}.{alias.evaluated_name}"]
            AddImportsVisitor.add_needed_import(self.context, TARGET, name, alias.evaluated_alias)
        rest = [alias for alias in updated_node.names if alias not in ours]
        if not ours or not rest:
            return updated_node if not ours else cst.RemoveFromParent()
        rest[-1] = rest[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return updated_node.with_changes(names=rest)

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:  # noqa: N802
        """``concurrent.futures.as_completed``, however the module is called here, becomes the name alone."""
        name = self._new_name(original_node)
        if name is None:
            return updated_node
        AddImportsVisitor.add_needed_import(self.context, TARGET, name)
        # Its import goes where nothing else uses it.
        RemoveImportsVisitor.remove_unused_import_by_node(self.context, original_node)
        return cst.Name(name)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:  # noqa: N802
        """A name that was imported as it is; an alias stays, since its import changes."""
        is_plain = any(original_node.value == old.rpartition(".")[2] for old in NEW_NAMES)
        name = self._new_name(original_node) if is_plain else None
        return updated_node if name is None else updated_node.with_changes(value=name)

    # --- Calls --------------------------------------------------------------------------------------

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:  # noqa: N802
        """Drop what only a pool of threads needs."""
        self._warn_of_lambda(original_node)
        if self._new_name(original_node.func) != "TaskPoolExecutor":
            return updated_node
        for position, argument in enumerate(original_node.args):
            if argument.star:
                self._refuse(original_node, "its arguments cannot be read")
            else:
                name = argument.keyword.value if argument.keyword else PARAMETERS[min(position, 3)]
                if name not in DROPPED:
                    self._refuse(original_node, f"{name} has no equal: workers are processes of their own")
        return updated_node.with_changes(args=[])

    def visit_ClassDef(self, node: cst.ClassDef) -> None:  # noqa: N802
        if any(self._new_name(base.value) == "TaskPoolExecutor" for base in node.bases):
            self._refuse(node, f"{node.name.value} is a subclass of it")

    def _warn_of_lambda(self, node: cst.Call) -> None:
        called = m.Attribute(attr=m.Name("submit") | m.Name("map"))
        if m.matches(node, m.Call(func=called, args=[m.Arg(m.Lambda()), m.ZeroOrMore()])):
            self._warn(node, "a lambda cannot be run as a task: make it a function at the top of a module")

    def _refuse(self, node: cst.CSTNode, why: str) -> None:
        self.refused = True
        self._warn(node, f"the pool is left as it is: {why}")

    def _warn(self, node: cst.CSTNode, text: str) -> None:
        line = self.get_metadata(PositionProvider, node).start.line
        self.warnings.append(f"line {line}: {text}")

    def _new_name(self, node: cst.CSTNode) -> str | None:
        found = self.get_metadata(QualifiedNameProvider, node, set())
        return next((NEW_NAMES[name.name] for name in found if name.name in NEW_NAMES), None)


def _dotted(node: cst.CSTNode | None) -> str:
    match node:
        case cst.Name(value=name):
            return name
        case cst.Attribute(value=value, attr=cst.Name(value=name)):
            return f"{_dotted(value)}.{name}"
        case _:
            return ""
