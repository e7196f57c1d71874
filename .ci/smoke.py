"""What an installed package must do, wherever it came from: one watch, from a put to its acknowledgement."""

from importlib import metadata, resources

import watchtree as wt

tree = wt.Tree()
sent: list[wt.Batch] = []
dispatcher = wt.Dispatcher(tree, sent.append, clock=wt.ManualClock())
dispatcher.sync("alice", {"app.db": 0})
index = tree.put("app.db", b"v1", parents=True)
assert dispatcher.dispatch()
assert [tuple(n) for n in sent[0]] == [("app.db", wt.State.VALUE, index, b"v1")]
assert sent[0].acknowledge()
assert dispatcher.stats().acknowledged == 1
for name in ("py.typed", "_core.pyi"):
    assert resources.files("watchtree").joinpath(name).is_file(), f"{name} is not in the package"
print("watchtree", metadata.version("watchtree"), "works")
