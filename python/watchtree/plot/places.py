"""Where each key stands in the drawing of a tree. Plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from watchtree._core import Dispatcher
from watchtree.errors import NotDirectory, NotFound
from watchtree.plot import style
from watchtree.records import Holder, Node
from watchtree.words import State

LONGEST = 20
"""Most characters of a key's last part that are written."""


@dataclass(frozen=True)
class Place:
    """A key in the drawing, or a line that says how many more there are."""

    key: str
    label: str
    column: int
    """How many parts below the root of the drawing."""
    row: int
    """From the top. A directory stands in the row of its first child."""
    parent: int
    """The position of its parent among the places, -1 for the root."""
    state: State | None
    """None: a line that says how many more, or a key that is neither there nor watched and only keeps its place."""
    holder: Holder | None
    more: int
    """How many more there are below `key`, of a line that says so; 0 for a key."""


@dataclass(frozen=True)
class _Item:
    """What is known of a key before it has a place."""

    state: State | None
    holder: Holder | None


NOTHING = _Item(None, None)


class _Source:
    """The keys of a tree, those with holders and those to keep, below one of them; each directory is listed once."""

    def __init__(self, dispatcher: Dispatcher, root: str, keep: Iterable[str]) -> None:
        self._tree = dispatcher.tree
        self.root = root
        self.holders = {each.key: each for each in dispatcher.holders() if _is_below(each.key, root)}
        self.kept = [key for key in dict.fromkeys(keep) if _is_below(key, root)]
        self._others: dict[str, set[str]] = {}
        """The children that have a holder or are to be kept, by their parent."""
        for key in (*self.holders, *self.kept):
            for path in _path(key, root):
                if path != root:
                    self._others.setdefault(_parent(path), set()).add(path)
        self._children: dict[str, dict[str, _Item]] = {}

    def item(self) -> _Item:
        """The root."""
        try:
            return self._item(self.root, self._tree.get(self.root))
        except NotFound:
            return self._item(self.root, None)

    def children(self, key: str) -> dict[str, _Item]:
        """What stands below a key, in key order."""
        if key not in self._children:
            nodes = {node.key: node for node in self._list(key)}
            keys = sorted(nodes.keys() | self._others.get(key, set()), key=lambda child: child.encode())
            self._children[key] = {child: self._item(child, nodes.get(child)) for child in keys}
        return self._children[key]

    def wanted(self) -> list[str]:
        """The keys that are drawn first: those to keep, then those with watches, the shorter before the longer."""
        watched = [key for key, holder in self.holders.items() if holder.watches]
        return [*self.kept, *sorted(watched, key=lambda key: (key.count("."), _order(key)))]

    def _item(self, key: str, node: Node | None) -> _Item:
        holder = self.holders.get(key)
        if node is not None:
            return _Item(State.DIRECTORY if node.is_directory else State.VALUE, holder)
        return _Item(None if holder is None else State.MISSING, holder)

    def _list(self, key: str) -> list[Node]:
        try:
            return self._tree.list(key)
        except (NotFound, NotDirectory):
            return []  # a missing key, or a value


def places(dispatcher: Dispatcher, root: str, most: int, keep: Iterable[str] = ()) -> list[Place]:
    """The keys to draw, parents before their children, in key order.

    First those to keep and those with watches, each with all above it, then the others, level by level, `most` in all. A
    directory of which not all children are drawn has a line that says how many more, which does not count.
    Cost: O(holders log holders + children of the directories drawn). Errors: as of Tree.get, but for NotFound.
    """
    source = _Source(dispatcher, root, keep)
    chosen = _chosen(source, most)
    found: list[Place] = []
    row = 0
    # A directory, its first child and so on stand in one row; each further child begins a new one.
    waiting: list[tuple[str, _Item, int, int, bool, int]] = [(source.root, source.item(), 0, -1, True, 0)]
    while waiting:
        key, item, column, parent, is_first, more = waiting.pop()
        row += not is_first
        label = f"… {more:,} more" if more else _label(key, item, column)
        found.append(Place(key, label, column, row, parent, item.state, item.holder, more))
        if more:
            continue
        children = source.children(key)
        drawn = [child for child in children if child in chosen]
        below = [(child, children[child], column + 1, len(found) - 1, child == drawn[0], 0) for child in drawn]
        if len(drawn) < len(children):
            below.append((key, NOTHING, column + 1, len(found) - 1, not drawn, len(children) - len(drawn)))
        waiting += reversed(below)
    return found


def _chosen(source: _Source, most: int) -> set[str]:
    chosen = {source.root}
    for key in source.wanted():
        path = chosen.union(_path(key, source.root))
        if len(path) <= most:
            chosen = path
    level = [source.root]
    while level and len(chosen) < most:
        below = [child for key in level for child in source.children(key)]
        for child in below:
            if len(chosen) < most:
                chosen.add(child)
        level = [child for child in below if child in chosen]
    return chosen


def _label(key: str, item: _Item, column: int) -> str:
    name = key if column == 0 else key.rpartition(".")[2]
    text = style.plain(name, LONGEST) if key else "(root)"
    return f"{text} ×{item.holder.watches:,}" if item.holder is not None and item.holder.watches else text


def _is_below(key: str, root: str) -> bool:
    return not root or key == root or key.startswith(f"{root}.")


def _parent(key: str) -> str:
    return key.rpartition(".")[0]


def _path(key: str, root: str) -> Iterator[str]:
    """A key and all above it, up to the root."""
    while key != root:
        yield key
        key = _parent(key)
    yield root


def _order(key: str) -> list[bytes]:
    return [part.encode() for part in key.split(".")]
