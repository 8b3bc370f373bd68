"""How work is spread: on this machine, over a Ray cluster, or by an engine of your own."""

from overread.scale.engine import Engine, OneAfterTheOther
from overread.scale.tasks import RayTasks

__all__ = ["Engine", "OneAfterTheOther", "RayTasks"]
