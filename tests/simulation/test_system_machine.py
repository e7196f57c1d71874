"""Both ends under any history, over links in memory and over plain TCP sockets (contract §5)."""

from __future__ import annotations

import os
import socket
import struct
import uuid

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from watchtree.records import Notification, Synced
from watchtree.testing.simulation.links import MemoryLink, decode, encode
from watchtree.testing.system_machine import SystemMachine
from watchtree.words import REMOVE_ALL_WATCHES, State

EXAMPLES = {"dev": 50, "ci": 200, "nightly": 20_000}[os.environ.get("WATCHTREE_PROFILE", "dev")]
"""Fewer than of other machines: each history ends with half an hour of made-up time."""

TestOverMemory = SystemMachine.TestCase
TestOverMemory.settings = settings(max_examples=EXAMPLES, stateful_step_count=50, deadline=None)


class TcpLink:
    """One end of a TCP connection, with the length in front of each frame."""

    def __init__(self, connection):
        self.connection = connection
        self.under_way = 0
        """Frames sent to this end and not received yet: both ends are in this process, so that nobody has to poll."""

    def send(self, frame):
        self.connection.sendall(struct.pack("!I", len(frame)) + frame)
        self.other.under_way += 1

    def receive(self):
        frames = [self._read(struct.unpack("!I", self._read(4))[0]) for _ in range(self.under_way)]
        self.under_way = 0
        return frames

    def _read(self, size):
        data = self.connection.recv(size, socket.MSG_WAITALL)
        if len(data) < size:
            raise ConnectionError("the other end closed")
        return data

    def close(self):
        self.connection.close()


class TcpMachine(SystemMachine):
    def make_link(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            near = TcpLink(socket.create_connection(listener.getsockname()))
            far = TcpLink(listener.accept()[0])
        near.other, far.other = far, near
        return near, far


TestOverTcp = TcpMachine.TestCase
TestOverTcp.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)


class DamagesFrames(SystemMachine):
    """A transport with a planted bug: it changes what it carries."""

    def make_link(self):
        near, far = super().make_link()
        send = far.send
        far.send = lambda frame: send(frame.replace(b', "x"]', b', "z"]'))
        return near, far


ONE_FIND = settings(max_examples=200, deadline=None, database=None, phases=[Phase.generate], derandomize=True)


def test_a_transport_that_damages_what_it_carries_is_found():
    with pytest.raises(AssertionError, match="G3"):
        run_state_machine_as_test(DamagesFrames, settings=ONE_FIND)


@pytest.mark.parametrize(
    "message",
    [
        ("connected",),
        ("sync", 1, 7, {"a.b": 0, "": 5}, True),
        ("synced", 7, Synced(uuid.UUID(int=5), 9)),
        (
            "notified",
            0,
            1,
            1,
            (Notification("ä", State.VALUE, 3, b"\xff\x00"), Notification("b", State.MISSING, 4, None)),
        ),
        ("answer", 0, 1, 1, (0, 1, 2)),
        ("answer", 0, 1, 1, REMOVE_ALL_WATCHES),
    ],
)
def test_a_message_is_the_same_after_its_way(message):
    assert tuple(decode(encode(message))) == message


def test_a_link_in_memory_loses_everything_when_it_is_closed():
    forth, back = [], []
    near, far = MemoryLink(forth, back), MemoryLink(back, forth)
    near.send(b"1")
    far.send(b"2")
    near.close()
    assert (near.receive(), far.receive()) == ([], [])
