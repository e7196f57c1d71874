"""A program may end while dispatchers live and threads run: it ends in peace."""

from __future__ import annotations

import subprocess
import sys

import pytest

PRELUDE = """
import threading
from watchtree import Config, Dispatcher, ManualClock, Tree
tree = Tree()
kept = []
def send(batch):
    kept.append(batch)
dispatcher = Dispatcher(tree, send)
dispatcher.sync("alice", {"a": 0, "b.c": 0})
tree.put("a", b"v")
dispatcher.dispatch()
"""

PROGRAMS = {
    "a live dispatcher": "",
    "a batch in flight and a cycle": "dispatcher.on_work = lambda: dispatcher.dispatch()",
    "objects held by a builtin module": "import builtins; builtins.held = (tree, dispatcher, kept)",
    "an object held by an exit handler": """
import atexit
@atexit.register
def last():
    tree.put("a", b"last")
    kept[0].acknowledge()
    dispatcher.dispatch()
    print("sent", len(kept))
""",
    "an object with a finaliser that uses the dispatcher": """
class Last:
    def __init__(self, dispatcher):
        self.dispatcher = dispatcher
    def __del__(self):
        self.dispatcher.close("alice")
last = Last(dispatcher)
""",
    "daemon threads that dispatch and change": """
def work():
    while True:
        tree.put("a", b"v")
        dispatcher.dispatch()
        try:
            kept.pop().acknowledge()
        except IndexError:  # another thread was faster
            pass
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
for _ in range(1000):
    tree.put("a", b"main")
""",
    "a daemon thread inside the transport": """
inside = threading.Event()
def wait(batch):
    inside.set()
    threading.Event().wait()
busy = Dispatcher(tree, wait)
busy.sync("bob", {"a": 0})
threading.Thread(target=busy.dispatch, daemon=True).start()
inside.wait()
""",
    "a thread that ends after the main one": """
def work():
    threading.main_thread().join()
    for _ in range(1000):
        tree.put("a", b"v")
        dispatcher.dispatch()
threading.Thread(target=work).start()
""",
    "a dispatcher made in a thread that is gone": """
def work():
    global other
    other = Dispatcher(tree, send, clock=ManualClock())
    other.sync("bob", {"a": 0})
    other.dispatch()
thread = threading.Thread(target=work)
thread.start()
thread.join()
""",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_the_interpreter_ends_in_peace(program):
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-c", PRELUDE + program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_an_exit_handler_may_still_use_the_dispatcher():
    program = PRELUDE + PROGRAMS["an object held by an exit handler"]
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert ended.stdout == "sent 2\n"
