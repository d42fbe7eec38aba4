"""One file a correction; each has a line in ../../BEHAVIOUR.md and a test beside it.

Later corrections (deployments, events, consistency delay, authorization) join this list.
"""

from types import ModuleType

_ALL: tuple[ModuleType, ...] = ()


def apply() -> None:
    for correction in _ALL:
        correction.apply()
