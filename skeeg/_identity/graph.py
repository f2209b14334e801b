"""Digest of a graph of objects that does not depend on addresses or on sharing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


def digest(*parts: bytes | str) -> bytes:
    """Return a digest of byte strings, which knows where each begins and ends.

    Parameters
    ----------
    *parts : bytes or str

    Returns
    -------
    digest : bytes
    """
    hasher = hashlib.blake2b(digest_size=20)
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        hasher.update(b"%d:" % len(encoded))
        hasher.update(encoded)
    return hasher.digest()


@dataclass
class Node:
    """An object: what tells it apart by itself, and the objects that it refers to.

    Parameters
    ----------
    parent : int
        The node that was being read when this one was found; -1 for the root.
    name : str
        How the parent refers to it, for messages.
    label : bytes
        Digest of the object without its children.
    children : list of int or bytes
        Indices of nodes, or digests of simple values.
    ordered : bool
        Whether the order of the children matters.
    """

    parent: int
    name: str
    label: bytes = b""
    children: list[int | bytes] = field(default_factory=list)
    ordered: bool = True


def root_digest(nodes: Sequence[Node]) -> bytes:
    """Return the digest of the first node and of all that can be reached from it.

    Nodes that refer to each other in a circle are told apart by refining their digests until no
    further ones differ; all others get theirs from their children.

    Parameters
    ----------
    nodes : sequence of Node

    Returns
    -------
    digest : bytes
    """
    known: dict[int, bytes] = {}
    for component in _components(nodes):
        circular = len(component) > 1 or component[0] in nodes[component[0]].children
        if circular:
            known |= _refined(nodes, component, known)
        else:
            known[component[0]] = _combined(nodes[component[0]], known)
    return known[0]


def _refined(
    nodes: Sequence[Node], component: Sequence[int], known: dict[int, bytes]
) -> dict[int, bytes]:
    colours = {i: nodes[i].label for i in component}
    while True:
        around = known | colours
        refined = {i: _combined(nodes[i], around) for i in component}
        stable = len(set(refined.values())) <= len(set(colours.values()))
        colours = refined
        if stable:
            break
    everything = digest(*sorted(set(colours.values())))
    return {i: digest(colours[i], everything) for i in component}


def _combined(node: Node, known: dict[int, bytes]) -> bytes:
    children = [known[child] if isinstance(child, int) else child for child in node.children]
    return digest(node.label, *(children if node.ordered else sorted(children)))


def _components(nodes: Sequence[Node]) -> Iterator[list[int]]:
    """Yield the strongly connected components, each after those that it refers to (Tarjan)."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    waiting: list[int] = []
    is_waiting: set[int] = set()
    stack: list[tuple[int, Iterator[int | bytes]]] = []

    def enter(i: int) -> None:
        order[i] = low[i] = len(order)
        waiting.append(i)
        is_waiting.add(i)
        stack.append((i, iter(nodes[i].children)))

    enter(0)
    while stack:
        i, children = stack[-1]
        for child in children:
            if not isinstance(child, int):
                continue
            if child not in order:
                enter(child)
                break
            if child in is_waiting:
                low[i] = min(low[i], order[child])
        else:
            stack.pop()
            if stack:
                above = stack[-1][0]
                low[above] = min(low[above], low[i])
            if low[i] == order[i]:
                at = waiting.index(i) if waiting[-1] != i else len(waiting) - 1
                component = waiting[at:]
                del waiting[at:]
                is_waiting.difference_update(component)
                yield component
