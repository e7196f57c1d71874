"""LiveView: a dispatcher in a notebook. The notebook is stood in for: what it is told is what is looked at."""

from __future__ import annotations

import gc
import sys
import threading
from types import ModuleType

import pytest
from watchtree import Dispatcher, Tree
from watchtree.live import LiveView


class Notebook:
    """What `IPython.display` is in a notebook."""

    def __init__(self):
        self.shown = []
        self.told = threading.Condition()
        self.broken = False

    def display(self, html, display_id):
        assert display_id is True
        self.update(html)
        return self

    def update(self, html):
        with self.told:
            self.shown.append(html.text)
            self.told.notify_all()
        if self.broken:
            raise ConnectionError("the notebook was closed")

    def wait_for(self, count):
        with self.told:
            assert self.told.wait_for(lambda: len(self.shown) >= count, timeout=30)


class Html:
    def __init__(self, text):
        self.text = text


@pytest.fixture
def notebook(monkeypatch):
    notebook = Notebook()
    module = ModuleType("IPython.display")
    module.HTML, module.display = Html, notebook.display
    package = ModuleType("IPython")
    package.display = module
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return notebook


@pytest.fixture
def dispatcher():
    tree = Tree()
    dispatcher = Dispatcher(tree, lambda batch: batch.acknowledge())
    dispatcher.sync("alice", {"a": 0})
    return dispatcher


@pytest.fixture
def show(notebook):
    """Makes a view and shows it as the last line of a cell does."""
    views = []

    def show(dispatcher, **times):
        views.append(LiveView(dispatcher, **{"interval": 0.001, **times}))
        views[-1]._ipython_display_()
        return views[-1]

    yield show
    for view in views:
        view.stop()


def finish(view):
    view._thread.join(30)
    assert not view.running


def test_it_shows_what_the_dispatcher_does_meanwhile(show, notebook, dispatcher):
    view = show(dispatcher)
    assert "1 channels, 1 watches" in notebook.shown[0]
    dispatcher.sync("bob", {"a": 0, "b": 0})
    notebook.wait_for(len(notebook.shown) + 2)
    view.stop()
    assert "2 channels, 3 watches" in notebook.shown[-1]
    assert "acknowledged a second" in notebook.shown[-1]


def test_it_stops_by_itself(show, notebook, dispatcher):
    finish(show(dispatcher, seconds=0.01))
    assert "it stands still" in notebook.shown[-1]


def test_stopped_it_tells_nothing_more(show, dispatcher):
    view = show(dispatcher)
    view.stop()
    assert not view.running
    view.stop()


def test_it_does_not_keep_its_dispatcher(show, notebook):
    view = show(Dispatcher(Tree(), lambda batch: batch.acknowledge()))
    gc.collect()
    finish(view)
    assert "it stands still" in notebook.shown[-1]


def test_it_ends_with_the_notebook(show, notebook, dispatcher):
    view = show(dispatcher)
    notebook.broken = True
    finish(view)


def test_shown_again_it_begins_again(show, dispatcher):
    view = show(dispatcher)
    first = view._thread
    view._ipython_display_()
    assert not first.is_alive()
    assert view.running


def test_without_a_notebook_it_shows_itself_once(notebook, dispatcher, monkeypatch):
    monkeypatch.setattr(sys.modules["IPython.display"], "display", lambda html, display_id: None)
    view = LiveView(dispatcher)
    view._ipython_display_()
    assert not view.running


def test_however_long_it_runs_it_shows_the_last_measurements_only(dispatcher):
    view = LiveView(dispatcher)
    for _ in range(200):
        view._measure()
    assert len(view._repr_html_()) < 10_000
    assert "the last 60 measurements" in view._repr_html_()


@pytest.mark.parametrize(
    "wrong", [{"seconds": 0}, {"interval": -1.0}, {"seconds": float("nan")}, {"interval": float("inf")}]
)
def test_wrong_times_are_refused(dispatcher, wrong):
    with pytest.raises(ValueError, match="give a number of seconds greater than 0"):
        LiveView(dispatcher, **wrong)
