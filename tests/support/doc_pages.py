"""The pages of the documentation: their blocks of code, and what running them takes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(page for page in DOCS.rglob("*.md") if page.name != "command_line.md")]
# A fence, with what a comment in the line before may say of it: slow, not run: why, exits STATUS, or that its lines are
# printed by the commands before.
_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>slow|not run: [^\n]+|exits \d+|printed) -->\n)?"
    r'```(?P<language>\w*)(?: title="(?P<file>[\w.]+)")?\n(?P<code>.*?)^```$',
    re.DOTALL | re.MULTILINE,
)


class Block(NamedTuple):
    """A block of code, and the comment on how it runs."""

    mark: str
    language: str
    file: str | None
    code: str

    @property
    def is_command(self) -> bool:
        """Whether a shell takes it."""
        return self.language in ("sh", "powershell")

    def runs(self, *, slow: bool) -> bool:
        """Whether it is run, also where that takes longer."""
        is_left_out = self.mark.startswith("not run") or (self.mark == "slow" and not slow)
        return (self.language in ("python", "sh") or self.mark == "printed") and not is_left_out and not self.file

    def as_python(self) -> str:
        """The block as a part of the one program that its page makes."""
        if self.language == "python":
            return self.code
        if self.mark == "printed":
            return f"assert [line for line in {self.code.splitlines()!r} if line not in _printed] == []\n"
        status = int(self.mark.removeprefix("exits ")) if self.mark.startswith("exits ") else 0
        return f"_printed = _run_commands({self.code!r}, {status})\n"


_RUN_COMMANDS = """
def _run_commands(code, status):
    import subprocess
    command = ["bash", "-euo", "pipefail", "-c", code]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout)
    assert done.returncode == status, code
    return done.stdout
"""


def blocks_of(page: Path) -> list[Block]:
    """The blocks of a page in their order."""
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Block(each["mark"] or "", each["language"], each["file"], each["code"]) for each in found]


def commands_of(block: Block) -> Iterator[str]:
    """The lines of a block that call overread, without comments, with continued lines joined."""
    for line in re.sub(r"[\\`]\n\s*", " ", block.code).splitlines():
        if line.startswith("overread "):
            yield re.sub(r"\s#.*", "", line)


def run_page(page: Path, folder: Path, *, slow: bool = False) -> None:
    """Run the Python and the commands of a page as they are written, in their order, in one interpreter."""
    blocks = blocks_of(page)
    for block in blocks:
        if block.file:
            (folder / block.file).write_text(block.code, encoding="utf-8")
    program = [_RUN_COMMANDS, *(block.as_python() for block in blocks if block.runs(slow=slow))]
    own = {name: str(folder.parent / name.lower()) for name in ("OVERREAD_STORE", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    paths = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([".", *sys.path]),
    }
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(program)],
        env={**os.environ, **own, **paths, "TF_CPP_MIN_LOG_LEVEL": "2"},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
