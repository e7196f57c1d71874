"""A recording of calls from many threads: nothing is missing, and each has its place."""

from __future__ import annotations

import contextlib
import random
import threading

import pytest
from rig import state_of
from threads.reports import ROUNDS
from watchtree import Config, Dispatcher, Failure, Put, Remove, Tree
from watchtree.trace import Recorder

ANSWERS = [
    lambda batch: batch.acknowledge(),
    lambda batch: batch.fail(Failure.NETWORK),
    lambda batch: batch.remove_all(),
]


@pytest.mark.parametrize("seed", range(5))
def test_calls_from_many_threads_are_replayed_in_the_order_they_were_made(seed):
    tree = Tree()
    kept = []

    def transport(batch):
        chance = random.random()
        if chance < 0.1:
            raise OSError("no way")
        if chance < 0.4:
            batch.acknowledge()
        elif chance < 0.5:
            dispatcher.dispatch()
        else:
            kept.append(batch)

    config = Config(
        answer_timeout=1e-4,
        backoff=(1e-6, 1e-4),
        max_batch_size=3,
        max_batch_bytes=60,
        on_error=lambda error, channel: None,
    )
    dispatcher = Dispatcher(tree, transport, config=config)
    recorder = Recorder(dispatcher)

    def work(thread):
        chance = random.Random(f"{seed} {thread}")
        for _ in range(ROUNDS):
            key, channel = f"k{chance.randrange(4)}", f"c{chance.randrange(4)}"
            match chance.randrange(8):
                case 0 | 1:
                    tree.put(key, b"v")
                case 2:
                    tree.batch([Put(key, b""), Remove(f"k{chance.randrange(4)}")])
                case 3:
                    dispatcher.sync(channel, {key: chance.choice([0, 0, 5, -1]), "x": 0}, chance.random() < 0.3)
                case 4 | 5:
                    dispatcher.dispatch()
                case 6:
                    with contextlib.suppress(IndexError):
                        chance.choice(ANSWERS)(kept.pop())
                case 7:
                    if chance.random() < 0.1:
                        dispatcher.reset()
                    dispatcher.close(channel)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.stop()
    replayed = recorder.trace().replay()
    assert state_of(replayed.tree, replayed.dispatcher) == state_of(tree, dispatcher)


def test_a_recorder_is_started_read_and_stopped_while_threads_call():
    tree = Tree()
    dispatcher = Dispatcher(tree, lambda batch: batch.acknowledge())
    stop = threading.Event()

    def work(number):
        while not stop.is_set():
            tree.put(f"key{number}", b"v")
            dispatcher.sync(f"channel{number}", {f"key{number}": 0})
            dispatcher.dispatch()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        with Recorder(dispatcher, max_bytes=1 << 16) as recorder:
            for _ in range(5):
                recorder.trace()
    stop.set()
    for thread in threads:
        thread.join()
    dispatcher.verify()
    assert not recorder.is_recording
