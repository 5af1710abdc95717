"""Rewrites code from `ThreadPoolExecutor` and `as_completed` to `tasks.interop.futures`, keeping its layout (libcst).

What system B's own migration made of such code (`async_adapter`, `queue_manager`, `load_balancer`) is rewritten, too.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import libcst as cst
from libcst import matchers as m
from libcst.codemod import CodemodContext, VisitorBasedCodemodCommand
from libcst.codemod.visitors import AddImportsVisitor, ImportItem, RemoveImportsVisitor
from libcst.metadata import PositionProvider, QualifiedName, QualifiedNameProvider

TARGET = "tasks.interop.futures"
NEW_NAMES = {
    "concurrent.futures.ThreadPoolExecutor": "TaskPoolExecutor",
    "concurrent.futures.thread.ThreadPoolExecutor": "TaskPoolExecutor",
    "concurrent.futures.as_completed": "as_completed",
    "concurrent.futures._base.as_completed": "as_completed",
    "async_adapter.AsyncThreadPoolExecutor": "TaskPoolExecutor",
    "async_adapter.async_as_completed": "as_completed",
}
OLD_WORDS = frozenset(name.rpartition(".")[2] for name in NEW_NAMES)
# Modules of system B that are here under their names; each holds one object, called like itself.
SYSTEM_B = "tasks.interop.system_b"
SYSTEM_B_OBJECTS = ("queue_manager", "load_balancer")
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
    if not any(word in source for word in (*OLD_WORDS, *SYSTEM_B_OBJECTS)):
        return Migrated()
    command = _Rewrite(CodemodContext())
    module = command.transform_module(cst.parse_module(source))
    # After the plain names, in a pass of their own: libcst cannot add both kinds of one module at once.
    aliased = AddImportsVisitor(CodemodContext(), command.aliased)
    code = (aliased.transform_module(module) if command.aliased else module).code
    return Migrated(None if command.refused or code == source else code, command.warnings)


class _Rewrite(VisitorBasedCodemodCommand):
    METADATA_DEPENDENCIES = (QualifiedNameProvider, PositionProvider)

    def __init__(self, context: CodemodContext) -> None:
        super().__init__(context)
        self.warnings: list[str] = []
        self.refused = False
        self.aliased: list[ImportItem] = []

    # --- Names --------------------------------------------------------------------------------------

    def leave_ImportFrom(  # noqa: N802 - libcst's names
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.ImportFrom | cst.RemovalSentinel:
        """Take our names out of the import; they come from the portal's modules instead, under the same alias."""
        if isinstance(updated_node.names, cst.ImportStar):
            return updated_node
        module = _module_of(original_node)
        ours = []
        for alias in updated_node.names:
            if target := _target_of(module, str(alias.evaluated_name)):
                ours.append(alias)
                self._import(*target, alias.evaluated_alias)
        rest = [alias for alias in updated_node.names if alias not in ours]
        if not ours or not rest:
            return updated_node if not ours else cst.RemoveFromParent()
        rest[-1] = rest[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return updated_node.with_changes(names=rest)

    def _import(self, module: str, name: str, alias: str | None) -> None:
        # What stands for an old name under an old name (system B's fallback does) is called by the new one everywhere.
        if alias is None or alias in OLD_WORDS:
            AddImportsVisitor.add_needed_import(self.context, module, name)
        elif (item := ImportItem(module, name, alias)) not in self.aliased:
            self.aliased.append(item)

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
        name = self._new_name(original_node) if original_node.value in OLD_WORDS else None
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
        found: Collection[QualifiedName] = self.get_metadata(QualifiedNameProvider, node, set())
        names = (_known_name(name.name) for name in found)
        return next((NEW_NAMES[name] for name in names if name in NEW_NAMES), None)


def _known_name(name: str) -> str:
    """Return a qualified name, that of system B's adapter without the packages before it."""
    module, _, word = name.rpartition(".")
    return f"async_adapter.{word}" if module.rpartition(".")[2] == "async_adapter" else name


def _module_of(node: cst.ImportFrom) -> str:
    """Return the module of an import. System B's own are known wherever they are; all others by their full name."""
    module = _dotted(node.module)
    last = module.rpartition(".")[2]
    if last == "async_adapter" or last in SYSTEM_B_OBJECTS:
        return last
    return f".{module}" if node.relative else module


def _target_of(module: str, name: str) -> tuple[str, str] | None:
    """Return the module and the name that an imported name is to have, or None where it stays."""
    if module == name and module in SYSTEM_B_OBJECTS:
        return SYSTEM_B, name
    new = NEW_NAMES.get(f"{module}.{name}")
    return None if new is None else (TARGET, new)


def _dotted(node: cst.CSTNode | None) -> str:
    match node:
        case cst.Name(value=name):
            return name
        case cst.Attribute(value=value, attr=cst.Name(value=name)):
            return f"{_dotted(value)}.{name}"
        case _:
            return ""
