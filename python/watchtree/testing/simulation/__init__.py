"""A deterministic simulation of subscribers, servers and the network between them.

    from watchtree.testing.simulation import PROFILES, Simulation, make_scenario

    Simulation(make_scenario(seed, PROFILES["rough"])).run()    # raises Violation, or all guarantees hold

A scenario can be saved, loaded, cut to the shortest that still fails, and run again: the same happens, byte for byte.
"""

from watchtree.testing.simulation.checks import Violation
from watchtree.testing.simulation.links import Link, make_memory_link
from watchtree.testing.simulation.scenario import PROFILES, Profile, Scenario, World, make_scenario
from watchtree.testing.simulation.simulation import Simulation

__all__ = [
    "PROFILES",
    "Link",
    "Profile",
    "Scenario",
    "Simulation",
    "Violation",
    "World",
    "make_memory_link",
    "make_scenario",
]
