"""Where watches hang (§2): worked out anew from the tree and the watched keys, so that nothing can be left behind."""

from __future__ import annotations

from watchtree.testing.model_keys import parent
from watchtree.testing.model_tree import ModelTree
from watchtree.testing.model_watches import Watch


class ModelHolders:
    """The watch holders over a tree.

    There is a holder for each watched key; for each missing part between a missing watched key and its nearest
    existing ancestor; and for that ancestor. All that is remembered is the index of each missing key that has one.
    """

    def __init__(self, tree: ModelTree) -> None:
        self._tree = tree
        self._watches: dict[str, list[Watch]] = {}
        self._missing_index: dict[str, int] = {}
        self._holders: set[str] = set()

    def __len__(self) -> int:
        return len(self._holders)

    def watches(self, key: str) -> list[Watch]:
        """The watches on a key, in the order in which they were registered."""
        return self._watches.get(key, [])

    def index(self, key: str) -> int:
        """The index of the state of a key that has a holder."""
        node = self._tree.find(key)
        return self._missing_index[key] if node is None else node.update_index

    def add(self, watch: Watch) -> None:
        """Hang a watch on its key, behind the others."""
        self._watches.setdefault(watch.key, []).append(watch)
        self.mount()

    def move_last(self, watch: Watch) -> None:
        """Put a watch behind the others on its key."""
        self._watches[watch.key].remove(watch)
        self._watches[watch.key].append(watch)

    def remove(self, watch: Watch) -> None:
        """Take a watch off its key."""
        self._watches[watch.key].remove(watch)
        if not self._watches[watch.key]:
            del self._watches[watch.key]
        self.mount()

    def mount(self) -> None:
        """Work out which holders there are, after a change of the watched keys or of the tree.

        A missing key whose holder is new takes the update_index of its nearest existing ancestor. That covers removals
        as well: a node that is removed has no index as a missing key yet, and its ancestors have just taken the
        removal's.
        """
        missing_index = {}
        self._holders = set()
        for watched in self._watches:
            missing = []
            key = watched
            while (node := self._tree.find(key)) is None:
                missing.append(key)
                key = parent(key)
            self._holders.update(missing, [watched, key])
            for key in missing:
                missing_index[key] = self._missing_index.get(key, node.update_index)
        self._missing_index = missing_index
