"""Reading an archive into a folder of parts; whatever ends it, it goes on from the parts that are there."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from overread import __version__
from overread.bundle import Bundle
from overread.cases.exams.exam import Exam
from overread.cases.exams.gathering import Gathering
from overread.cases.folder import LeftOut
from overread.errors import Interrupted, InvalidData, InvalidOption, OverreadError
from overread.machine.files import write_json
from overread.machine.remote import is_remote, place
from overread.machine.stopping import stopping_on_sigterm
from overread.machine.terminal import at_work, progress_console, say
from overread.monitoring.monitor import expected_of, monitor_readings
from overread.monitoring.parts import watch_parts
from overread.monitoring.watch import Monitoring
from overread.reading import Reader, each_image
from overread.reading.prediction import to_be_read
from overread.reading.reader import CHUNK
from overread.reading.table import default_kind, require_kind
from overread.run import RunFolder
from overread.scale.cluster import connected
from overread.scoring.folder import Request, ScoringFolder, recorded, require_same
from overread.scoring.on_ray import read_on_ray
from overread.scoring.part import Outcome, read_part
from overread.scoring.plan import plan_images
from overread.scoring.progress import ScoringProgress
from overread.words import count

PART_IMAGES = 1000
_REPORT = "report"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScoringOptions:
    """How an archive is read.

    Args:
        engine: such as `ray` or `ray://head:10001`; None for this machine alone.
        kind: of the files: `parquet` or `csv`; None for what the folder holds, else Parquet where pyarrow is installed.
        part_images: images of a part, a multiple of 8; None for what the folder holds, else 1,000.
        exams: which files belong to one exam, of a bundle that reads exams, in place of what the bundle says.

    Raises:
        InvalidOption: there is no such kind, or the images are no such multiple.
        MissingExtra: pyarrow is not installed.
    """

    engine: str | None = None
    kind: str | None = None
    part_images: int | None = None
    exams: Gathering | None = None

    def __post_init__(self) -> None:
        if self.kind is not None:
            require_kind(self.kind)
        if self.part_images is not None and (self.part_images < CHUNK or self.part_images % CHUNK):
            raise InvalidOption(
                f"parts of {self.part_images} images are not read as one by one: expected a multiple of {CHUNK}, the "
                "images that a network answers together, so that the last digits are the same"
            )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """What became of an archive.

    Args:
        failures: images that could not be read, or not be had.
        images: all of them.
        missing: parts that are not read; the same call goes on with them.
        monitoring: volume, referrals and drift of the parts that are.
        report: the page of these; None where the folder is remote, or what draws it is not installed.
    """

    failures: int
    images: int
    missing: int
    monitoring: Monitoring
    report: Path | None


def score(
    bundle: Reader | Bundle | str | Path,
    sources: str | Path | Sequence[str | Path],
    out: str | Path,
    options: ScoringOptions = ScoringOptions(),
    *,
    standard_input: Iterable[str] = (),
    console: Console | None = None,
    verbose: bool | None = None,
) -> Scored:
    """Read an archive into parts, and report on them; a call that was ended goes on when it is made again.

    The images are listed once and cut into parts, which are planned in files; each part appears whole. Memory grows by
    16 bytes an image while they are listed, and not after. Once all parts are there, a further call lists again and
    reads what is new as further parts. The rows are those of `predict` to the last digit, whatever the engine.

    Args:
        bundle: as `predict` takes it.
        sources: likewise.
        out: folder of the parts, of this machine or remote; with an engine, every node must reach it, and the sources.
        options: engine, and kind and size of the parts.
        standard_input: the names that `-` among the sources stands for.
        console: where progress is told.
        verbose: whether, as `progress_console` has it.

    Raises:
        InvalidOption: the folder holds readings of other images or by another bundle, or no such engine.
        InvalidData: a source holds no image, or a file of the folder is damaged.
        OutputExists, OutputUnwritable: out cannot be used or written.
        Interrupted: Ctrl-C or SIGTERM.
        MissingExtra: what the engine or the place needs is not installed.
    """
    console, path = console or progress_console(verbose), place(out)
    reader = Reader.load(bundle)
    names = tuple(map(str, [sources] if isinstance(sources, str | Path) or is_remote(sources) else sources))
    former = recorded(path)
    request = _request(reader, names, options, former)
    if former is not None:
        require_same(path, request, former)
    folder = ScoringFolder(path, request.kind)
    progress = None
    try:
        with stopping_on_sigterm(), contextlib.ExitStack() as stack:
            if former is None:
                folder.make()
                folder.write(request)
            if request.listed is None or not folder.missing():
                request = _plan(folder, request, _listed(reader, options.exams, request, standard_input), console)
            folder.clear()
            missing = folder.missing()
            if missing:
                if options.engine is not None:
                    stack.enter_context(connected(options.engine))
                progress = stack.enter_context(ScoringProgress(console, len(missing), request.part_images))
                for outcome in _outcomes(reader, folder, missing, request, options.engine):
                    progress.add(outcome)
            return _conclude(reader, folder, request, console)
    except KeyboardInterrupt:
        done = progress.done if progress else 0
        raise Interrupted(
            f"stopped after {count(done, 'part')}, kept in {path} with those before: run the same command to go on"
        ) from None


def _request(reader: Reader, sources: tuple[str, ...], options: ScoringOptions, former: Request | None) -> Request:
    # Standard input may hold relative names, too.
    is_relative = any(not is_remote(source) and not Path(source).is_absolute() for source in sources)
    asked = Request(
        overread=__version__,
        bundle=reader.bundle.fingerprint,
        provider=reader.provider,
        sources=sources,
        working_folder=str(Path.cwd()) if is_relative else None,
        part_images=options.part_images or (former.part_images if former else PART_IMAGES),
        kind=options.kind or (former.kind if former else default_kind()),
    )
    require_kind(asked.kind)
    if former is None:
        return asked
    return dataclasses.replace(asked, listed=former.listed, losses=former.losses)


class _Listed(NamedTuple):
    """What is to be read, one by one, and what is left out of it, once all was asked for."""

    sources: Iterable[Path | Exam]
    left_out: LeftOut


def _listed(reader: Reader, exams: Gathering | None, request: Request, standard_input: Iterable[str]) -> _Listed:
    left_out = LeftOut()
    if reader.reads_exams:
        return _Listed(to_be_read(reader, request.sources, standard_input, left_out, exams=exams), left_out)
    return _Listed(each_image(request.sources, standard_input, left_out), left_out)


def _plan(folder: ScoringFolder, request: Request, found: _Listed, console: Console) -> Request:
    left_out = found.left_out
    with at_work(console, "listing images") as status:
        listed = plan_images(
            folder, found.sources, request.part_images, lambda n: status.update(f"listing images: {n:,}")
        )
    for sentence in left_out.sentences():
        say(console, sentence)
    planned = dataclasses.replace(request, listed=listed, losses=left_out.losses)
    if request.listed is not None:
        new = listed - request.listed
        say(console, f"{count(new, 'image')} new since the last time" if new else "all parts are there, nothing is new")
    folder.write(planned)
    return planned


def _outcomes(
    reader: Reader, folder: ScoringFolder, missing: Sequence[int], request: Request, engine: str | None
) -> Iterator[Outcome]:
    if engine is not None:
        return read_on_ray(reader, folder, missing, request.working_folder)
    return (read_part(reader, folder, number) for number in missing)


def _conclude(reader: Reader, folder: ScoringFolder, request: Request, console: Console) -> Scored:
    missing = len(folder.missing())
    if missing == folder.planned():
        raise OverreadError("no part could be read: see above why, and run the same command again")
    with at_work(console, "counting"):
        can_draw = all(map(importlib.util.find_spec, ("jinja2", "matplotlib")))
        out = None if is_remote(folder.path) or not can_draw else folder.path / _REPORT
        if out is None:
            found = watch_parts(folder.path, expected_of(reader.bundle), reader.bundle.fingerprint)
            write_json(folder.path / "monitoring.json", found.to_dict())
        else:
            found = monitor_readings(folder.path, reader.bundle, out=out, existing="replace")
    if not missing and found.n_images != request.listed:
        raise InvalidData(
            f"{folder.path} holds {count(found.n_images, 'reading')} and was to hold {request.listed}: a file of its "
            "plan or parts is damaged: give another --out"
        )
    return Scored(
        failures=sum(found.failures.values()) + request.losses,
        images=found.n_images + request.losses,
        missing=missing,
        monitoring=found,
        report=None if out is None else RunFolder(out).report,
    )
