"""Each target of `make fuzz` with its corpus, and with seeded changes of it: no error but those that are meant."""

from __future__ import annotations

import importlib
import itertools
import time
from pathlib import Path

import pytest

from support.mutations import mutations

FUZZ = Path(__file__).parents[1] / "fuzz"
TARGETS = sorted(path.stem for path in (FUZZ / "targets").glob("*.py"))
# Of processor time, for a busy machine is no defect.
MUTATIONS, SECONDS = 300, 1.0


def corpus(target: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((FUZZ / "corpus" / target).iterdir())]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.filterwarnings("ignore")
def test_no_input_of_the_corpus_nor_a_change_of_it_is_more_than_refused(target: str) -> None:
    module, files = importlib.import_module(f"targets.{target}"), corpus(target)
    changed = itertools.islice(mutations(files, getattr(module, "TOKENS", ())), MUTATIONS)
    end = time.process_time() + SECONDS
    for number, data in enumerate([*files, *changed]):
        start = time.process_time()
        module.one_input(data)
        assert time.process_time() - start < 5, f"input {number} hangs"
        if number >= len(files) and time.process_time() > end:
            break


@pytest.mark.parametrize("target", TARGETS)
def test_a_corpus_is_there_and_small(target: str) -> None:
    assert 0 < sum(map(len, corpus(target))) < 100_000
