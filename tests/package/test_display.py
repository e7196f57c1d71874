"""What notebooks show: escaped, and bounded however large the object is."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from watchtree import Batch, Dispatcher, ManualClock, Node, Tree
from watchtree.display import MAX_ROWS, MAX_TEXT, MAX_TREE_NODES, NodeList, nodes_html

HOSTILE = "<script>alert(1)</script>&\"'"


class Checker(HTMLParser):
    """Collects the text, and sees that every element that is opened is closed in its order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(what: Any) -> Checker:
    return Checker(what._repr_html_())


def sent(tree: Tree, *keys: str) -> tuple[Dispatcher, Batch]:
    batches: list[Batch] = []
    dispatcher = Dispatcher(tree, batches.append, clock=ManualClock())
    dispatcher.sync(HOSTILE, dict.fromkeys(keys, 0))
    dispatcher.dispatch()
    return dispatcher, batches[0]


def test_nothing_of_a_key_or_a_value_is_taken_for_html() -> None:
    tree = Tree()
    tree.put(HOSTILE, HOSTILE.encode())
    dispatcher, batch = sent(tree, HOSTILE)
    for what in (tree, tree.list(), batch, dispatcher, dispatcher.stats(), dispatcher.channel(HOSTILE)):
        assert "script" not in shown(what).tags
    for what in (tree, tree.list(), batch):
        assert HOSTILE in shown(what).text


def test_a_tree_folds_and_ends_at_its_limit() -> None:
    tree = Tree()
    for number in range(3 * MAX_TREE_NODES):
        tree.put(f"directory.key-{number}", b"v", parents=True)
    page = shown(tree)
    assert page.tags.count("li") == MAX_TREE_NODES + 1
    assert page.tags.count("details") == 2
    assert f"{2 * MAX_TREE_NODES + 1:,} more" in page.text


def test_a_deep_tree_ends_at_the_limit_too() -> None:
    tree = Tree()
    tree.put(".".join(["d"] * 4000), b"v", parents=True)
    assert shown(tree).tags.count("details") == MAX_TREE_NODES + 1


def test_long_tables_end_at_their_limit() -> None:
    tree = Tree()
    for number in range(MAX_ROWS + 7):
        tree.put(f"key-{number:03}", b"v")
    _, batch = sent(tree, *tree)
    for what in (tree.list(), batch):
        page = shown(what)
        assert page.tags.count("tr") == MAX_ROWS + 2
        assert "7 more" in page.text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain", "plain"),
        ("é".encode(), "é"),
        (b"", "b''"),
        (b"\xff\x00", "b'\\xff\\x00'"),
        (b"line\n", "b'line\\n'"),
        (b"x" * 1000, "x" * MAX_TEXT + "… 1,000 bytes"),
        (b"x" + "é".encode() * 500, "x" + "é" * (MAX_TEXT - 1) + "… 1,001 bytes"),
    ],
)
def test_a_value_is_text_where_it_can_be_and_never_long(value: bytes, text: str) -> None:
    tree = Tree()
    tree.put("key", value)
    assert text in shown(tree).text


def test_the_numbers_of_a_dispatcher_are_there() -> None:
    tree = Tree()
    tree.put("key", b"v")
    dispatcher, batch = sent(tree, "key")
    batch.acknowledge()
    assert "batches sent, acknowledged1, 1" in shown(dispatcher).text
    assert "statein_flight" not in shown(dispatcher.channel(HOSTILE)).text


def test_a_list_of_nodes_is_a_list_and_a_table() -> None:
    tree = Tree()
    tree.put("key", b"v")
    nodes = tree.list()
    assert isinstance(nodes, NodeList)
    assert nodes == [Node("key", b"v", False, 1, 1)]
    assert nodes._repr_html_() == nodes_html(nodes)
