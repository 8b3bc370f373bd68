"""How the search for near duplicates grows: time and memory for 1,000, 10,000 and 100,000 synthetic hashes.

    python benchmarks/near_duplicates.py [number ...]

The hashes are random, one in a hundred a copy of another after a symmetry and with up to 31 of 256 bits changed. The
last column is the exponent of the growth since the line before: 1 is linear, 2 is what comparing all pairs would be.
"""

from __future__ import annotations

import argparse
import math
import time
import tracemalloc

import numpy as np

from overread.images.copies.near_hashes import (
    BITS,
    WORDS,
    NearPairs,
    bits_apart,
    guaranteed_radius,
    near_pairs,
)

VIEWS, RADIUS, MOST, CHANGED_BITS = 8, 72, 8, 31
HEADING = "   hashes   seconds  us/hash   peak MB  planted  found  all pairs, s  times faster  exponent"


def planted_views(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`(8, n, 4)` random hashes, and `(k, 2)` which of the last ones meets which of the first."""
    views = rng.integers(0, 2**64, (VIEWS, count, WORDS), np.uint64)
    copies = max(1, count // 100)
    pairs = np.stack([rng.choice(count - copies, copies, replace=False), np.arange(count - copies, count)], axis=1)
    for original, copy in pairs:
        changed = np.zeros(BITS, np.uint8)
        changed[rng.choice(BITS, rng.integers(CHANGED_BITS + 1), replace=False)] = 1
        views[rng.integers(VIEWS), copy] = views[0, original] ^ np.packbits(changed).view(np.uint64)
    return views, pairs


def measure(views: np.ndarray) -> tuple[NearPairs, float]:
    """The pairs found and the seconds that it took."""
    start = time.perf_counter()
    return near_pairs(views, radius=RADIUS, most=MOST), time.perf_counter() - start


def seconds_for_all_pairs(views: np.ndarray) -> float:
    """What comparing each hash with all others would take, from the first few hundred."""
    queries = views[:, :50].reshape(-1, 1, WORDS)
    start = time.perf_counter()
    for query in queries:
        bits_apart(views[0], query)
    return (time.perf_counter() - start) / len(queries) * VIEWS * views.shape[1] / 2


def main() -> None:
    """Print a line for each number of hashes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("numbers", nargs="*", type=int, default=[1_000, 10_000, 100_000])
    before = None
    print(HEADING)
    for count in parser.parse_args().numbers:
        views, planted = planted_views(count, np.random.default_rng(count))
        found, seconds = measure(views)
        met = set(zip(found.earlier.tolist(), found.later.tolist(), strict=True))
        hits = sum((original, copy) in met for original, copy in planted.tolist())
        tracemalloc.start()
        near_pairs(views, radius=RADIUS, most=MOST)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        brute = seconds_for_all_pairs(views)
        exponent = f"{math.log(seconds / before[1]) / math.log(count / before[0]):8.2f}" if before else f"{'':>8}"
        print(
            f"{count:9,} {seconds:9.2f} {1e6 * seconds / count:8.0f} {peak:9.0f} {len(planted):8,} {hits:6,} "
            f"{brute:13.1f} {brute / seconds:13.1f} {exponent}",
            flush=True,
        )
        before = count, seconds
    print(f"Guaranteed: every pair within {guaranteed_radius(count)} bits, whatever the hashes.")


if __name__ == "__main__":
    main()
