"""The native core and the model agree on every history of calls, and the guarantees hold (contract §1 to §3, §5)."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from watchtree.testing.machine import DispatcherMachine

pytestmark = pytest.mark.timeout(0)  # the profile's number of examples is the limit


TestCoreAgainstModel = DispatcherMachine.TestCase


class TcpMachine(DispatcherMachine):
    """Over a plain TCP connection, with the length in front of each frame."""

    def __init__(self):
        super().__init__()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.near = socket.create_connection(listener.getsockname())
            self.far, _ = listener.accept()

    def carry(self, frame):
        self.near.sendall(struct.pack("!I", len(frame)) + frame)
        (size,) = struct.unpack("!I", self.far.recv(4, socket.MSG_WAITALL))
        return self.far.recv(size, socket.MSG_WAITALL)

    def teardown(self):
        super().teardown()
        self.near.close()
        self.far.close()


TestOverTcp = TcpMachine.TestCase
TestOverTcp.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)


class CutsFrames(DispatcherMachine):
    """A planted bug: long frames lose their end."""

    def carry(self, frame):
        return frame[:60]


def test_a_transport_that_damages_what_it_carries_is_found():
    find_one = settings(max_examples=200, deadline=None, database=None, phases=[Phase.generate], derandomize=True)
    with pytest.raises(AssertionError, match="G1: the transport"):
        run_state_machine_as_test(CutsFrames, settings=find_one)
