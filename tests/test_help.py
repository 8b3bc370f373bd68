"""What `--help` shows, and what a shell completes."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from support.command_line import overread

HEADINGS = ["Look first", "Train", "Judge", "Read new images"]
# fmt: off
ORDER = [
    "demo", "notebook", "networks", "audit", "train", "crossvalidate", "evaluate", "compare", "predict", "explain",
    "serve", "monitor",
]
# fmt: on


def completed(words: str) -> list[str]:
    """What the shell is offered for the last of these words."""
    asked = {"_OVERREAD_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    code = "import sys; sys.argv = ['overread']; from overread.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **asked}, capture_output=True, text=True)
    return done.stdout.split()


def test_commands_stand_in_the_order_of_work_under_headings() -> None:
    text = overread("--help").stdout
    places = [text.index(f"─ {heading} ─") for heading in HEADINGS]
    assert places == sorted(places)
    assert "─ Commands ─" not in text
    verbs = re.findall(r"^│ ([a-z]+) ", text, re.MULTILINE)
    assert verbs == [verb for verb in ORDER if verb in verbs]
    assert "networks" in verbs


@pytest.mark.parametrize("verb", [(), ("networks",), ("train",), ("serve",)])
def test_no_option_shows_a_type_of_python(verb: tuple[str, ...]) -> None:
    options = "\n".join(line for line in overread(*verb, "--help").stdout.splitlines() if "--" in line)
    assert not re.search(r"<(bool|str|int|float|path|list)|INTEGER|BOOLEAN|RANGE", options, re.IGNORECASE)


def test_flags_show_what_turns_them_off() -> None:
    assert re.search(r"--pretrained +--no-pretrained +Start", overread("train", "--help").stdout)


def test_a_shell_completes_verbs_options_networks_and_codes() -> None:
    assert completed("overread tr") == ["train"]
    assert "--network" in completed("overread train --net")
    lite = [f"efficientnet-lite{number}" for number in range(3)]
    assert completed("overread train data --network efficientnet-l") == lite
    assert completed("overread train data --monitor val_a") == ["val_auc", "val_accuracy"]
    assert "duplicate-across-splits" in completed("overread train data --accept duplicate-")


def test_completing_a_network_loads_neither_numpy_nor_keras() -> None:
    code = (
        "import sys; from overread.cli.completion import complete_network as complete; assert complete('comp');"
        "print(sorted({'numpy', 'keras', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
