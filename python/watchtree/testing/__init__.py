"""Everything that proves watchtree, for those who build on it.

- Oracles, here: `ModelTree`, `ModelDispatcher`, `ModelBatch` and `ModelSubscriber` are the contract in plain Python, which
  shares no code with the native core. They answer as `Tree`, `Dispatcher`, `Batch` and `Subscriber` do, slowly and
  obviously. Use them to check the core, or your own subscriber without threads and sockets.
- `watchtree.testing.machine`: `DispatcherMachine`, a Hypothesis state machine for your own transport. Needs hypothesis.
- `watchtree.testing.system_machine`: `SystemMachine`, the same for both ends joined by links of yours. Needs hypothesis.
- `watchtree.testing.strategies`: what they draw, for your own tests. Needs hypothesis.
- `watchtree.testing.simulation`: networks of subscribers and servers that fail, from one seed; `watchtree fuzz` runs it.
"""

from watchtree.testing.model_batch import ModelBatch
from watchtree.testing.model_dispatcher import ModelDispatcher
from watchtree.testing.model_subscriber import ModelSubscriber
from watchtree.testing.model_tree import ModelTree

__all__ = ["ModelBatch", "ModelDispatcher", "ModelSubscriber", "ModelTree"]
