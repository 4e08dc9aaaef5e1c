"""What was seen, as a tree of calls from one module into another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

#: Thread, depth, module, function; see `tracer.py`.
Seen = tuple[str, int, str, str]


@dataclass(slots=True, kw_only=True)
class Node:
    """A function, and those of other modules that it led to, in order, each once."""

    module: str = ""
    function: str = ""
    children: list[Node] = field(default_factory=list)

    def walk(self, depth: int = -1) -> Iterator[tuple[int, Node]]:
        """Yield all nodes with their depths, the root left out."""
        if self.module:
            yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)

    def modules(self) -> list[str]:
        """Return every module once, in the order of first entry."""
        return list(dict.fromkeys(node.module for _, node in self.walk()))

    def drawn(self) -> str:
        """Return a line for each node, indented."""
        return "\n".join(f"{'  ' * depth}{short(node)}" for depth, node in self.walk())


def short(node: Node) -> str:
    """Return its name without the package's and without those of outer functions."""
    function = node.function.rpartition("<locals>.")[2]
    return f"{node.module.removeprefix('vomind_queue.')}.{function}"


def common(runs: Sequence[Sequence[Seen]]) -> list[Seen]:
    """Return the last run, without functions that another run did without, and their callees."""
    functions = [{(module, function) for _, _, module, function in run} for run in runs]
    everywhere = set.intersection(*functions)
    #: By thread, the depth of the function that was left out.
    left_out: dict[str, int] = {}
    found = []
    for each in runs[-1]:
        thread, depth, module, function = each
        if depth > left_out.get(thread, depth):
            continue
        if (module, function) in everywhere:
            left_out.pop(thread, None)
            found.append(each)
        else:
            left_out[thread] = depth
    return found


def twice(seen: Sequence[Seen]) -> list[str]:
    """Return functions that lead into another module and are reached from several.

    There two branches of a way do the same work. What leads nowhere, such as the writer of a log
    line, may be asked by anybody.
    """
    found: dict[str, None] = {}
    for thread in dict.fromkeys(each[0] for each in seen):
        callers: dict[str, set[str]] = {}
        tree = grow(each for each in seen if each[0] == thread)
        for caller in [tree, *(node for _, node in tree.walk())]:
            for node in caller.children:
                if node.children:
                    callers.setdefault(f"{node.module}.{node.function}", set()).add(caller.module)
        found |= {name: None for name, modules in callers.items() if len(modules) > 1}
    return list(found)


def grow(seen: Iterable[Seen]) -> Node:
    """Return the tree of what was seen; functions of one module become one node."""
    root = Node()
    stacks: dict[str, list[tuple[int, Node]]] = {}
    for thread, depth, module, function in seen:
        stack = stacks.setdefault(thread, [])
        while stack and stack[-1][0] >= depth:
            stack.pop()
        parent = stack[-1][1] if stack else root
        stack.append(
            (depth, parent if parent.module == module else _child(parent, module, function))
        )
    return root


def _child(parent: Node, module: str, function: str) -> Node:
    for child in parent.children:
        if (child.module, child.function) == (module, function):
            return child
    child = Node(module=module, function=function)
    parent.children.append(child)
    return child
