"""Work in processes of its own, which may crash, hang or swallow memory there and take nothing else with it.

Each process has a socket that it shares with nobody, so that one that is killed at any moment, even in the middle of a
word, is an end of that socket and no more. A pipe and a lock that several share would stay locked by the dead
(November 2026: of twelve kills one left a request waiting for ever).
"""

from overread.machine.apart.child import is_apart
from overread.machine.apart.processes import Processes, WorkEnded

__all__ = ["Processes", "WorkEnded", "is_apart"]
