"""Oracles for tests: the contract in plain Python, which shares no code with the native core.

`ModelTree`, `ModelDispatcher`, `ModelBatch` and `ModelSubscriber` answer as `Tree`, `Dispatcher`, `Batch` and `Subscriber`
do, slowly and obviously. Use them to check the core, or your own subscriber without threads and sockets.
"""

from watchtree.testing.model_batch import ModelBatch
from watchtree.testing.model_dispatcher import ModelDispatcher
from watchtree.testing.model_subscriber import ModelSubscriber
from watchtree.testing.model_tree import ModelTree

__all__ = ["ModelBatch", "ModelDispatcher", "ModelSubscriber", "ModelTree"]
