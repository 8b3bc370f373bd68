"""The bundle: graph, preprocessing, classes, operating point and hashes in one directory."""

from overread.bundle.bundle import GRAPH, WEIGHTS, Bundle
from overread.bundle.graph import BATCH_SIZE, Graph, Outputs

__all__ = ["BATCH_SIZE", "GRAPH", "WEIGHTS", "Bundle", "Graph", "Outputs"]
