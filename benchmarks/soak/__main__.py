"""Does a server stand an hour of mixed traffic, with its database restarted and its workers killed in the middle?

    PYTHONPATH=benchmarks:tests python -m soak --minutes 60

Starts the real `overread serve` on PostgreSQL (on SQLite where there is none) and sends it pictures, zips, malformed
files, reviews and wrong tokens, beside slow, silent and broken connections; looks at the log as `overread monitor`
does; and then holds the log against what was answered. The middle half of the time is the rough one: there workers are
killed and the database is restarted. Exits 1 if a line is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from load import wait
from table import options, report

from overread.bundle import Bundle
from overread.errors import LogUnavailable
from overread.monitoring.monitor import monitor
from overread.recipe import Recipe
from overread.study.data import read_manifest
from overread.study.train import train
from soak.checks import Soaked, rows
from soak.pictures import bad_files, sound_pictures, zips_of
from soak.server import Sample, Server
from soak.traffic import Client, Ledger, Nuisance
from support.image_files import write_images
from support.postgres import NoPostgres, Postgres

_SAMPLE_S, _WARM_UP_S, _SETTLE_S = 5, 20, 30


def main() -> int:
    """Soak a server, print what came of it, and say whether all of it was as promised."""
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path, nargs="?", help="one of computer-made images is trained otherwise")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--pause-s", type=float, default=0.3, help="of a client between two requests, on average")
    parser.add_argument("--kills", type=int, default=20, help="of decoding processes")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="overread-soak-") as name:
        folder = Path(name)
        database = _database()
        try:
            url = database.url() if database else f"sqlite:///{folder / 'log.sqlite'}"
            soaked = soak(chosen, chosen.bundle or _bundle(folder), url, database, folder)
            found = rows(soaked)
        finally:
            if database:
                database.remove()
    minutes, log = chosen.minutes, "PostgreSQL" if database else "SQLite"
    report(f"The reading room after {minutes:g} minutes, {chosen.clients} clients, {log}", found, chosen.json)
    return int(any(row.verdict == "missed" for row in found))


def soak(chosen: argparse.Namespace, bundle: Path, url: str, database: Postgres | None, folder: Path) -> Soaked:
    """Have a server used and abused, and give what was seen."""
    classes = list(Bundle.load(bundle).classes)
    pictures = sound_pictures()
    contents = {"picture": pictures, "zip": zips_of(pictures), "bad": bad_files(pictures)}
    server, ledger = Server(bundle, url, folder), Ledger()
    wait(server.port)
    clients = [
        Client(server.port, ledger, contents, seed=seed, pause_s=chosen.pause_s, classes=classes)
        for seed in range(chosen.clients)
    ]
    nuisances = [Nuisance(server.port, seed=seed) for seed in range(3)]
    threads = [*clients, *nuisances]
    for thread in threads:
        thread.start()
    time.sleep(_WARM_UP_S)
    begin, seconds = time.monotonic(), 60 * chosen.minutes
    restarts: list[float] = []
    rough = threading.Thread(target=_make_trouble, args=(server, database, seconds, chosen.kills, restarts))
    rough.start()
    samples = list(_samples(server, begin + seconds, url, bundle))
    rough.join()
    for thread in threads:
        thread.ending.set()
    for thread in threads:
        thread.join(100)
    time.sleep(_SETTLE_S)
    last = server.sample()
    one_more = [Client(server.port, ledger, contents, seed=100 + i, pause_s=1, classes=classes) for i in range(8)]
    at_once = _all_at_once(one_more, ledger)
    began = time.monotonic()
    status = server.stop(90)
    return Soaked(
        ledger=ledger, samples=samples, last=last, begin=begin, seconds=seconds, restarts=restarts, at_once=at_once,
        exit_status=status, stopped_in_s=time.monotonic() - began, output=server.output.read_text(), log_url=url,
    )  # fmt: skip


def _database() -> Postgres | None:
    try:
        return Postgres()
    except NoPostgres as missing:
        print(f"{missing}: SQLite is used, and no database restarted", file=sys.stderr)
        return None


def _bundle(folder: Path) -> Path:
    manifest = read_manifest(write_images(folder / "images", {"Normal": 40, "Disease": 24}), patient_pattern=r"^\w\d+")
    recipe = Recipe(network="compact", size=32, epochs=3, batch_size=8)
    return train(manifest, folder / "run", recipe, store=folder / "store").out / "bundle"


def _samples(server: Server, end: float, url: str, bundle: Path) -> Iterator[Sample]:
    """Measure the server again and again, and look at its log once a minute."""
    looked = time.monotonic()
    while time.monotonic() < end:
        yield server.sample()
        time.sleep(_SAMPLE_S)
        if time.monotonic() - looked > 60:
            looked = time.monotonic()
            with contextlib.suppress(LogUnavailable):  # while the database is away
                monitor(url, bundle, since_days=1)


def _make_trouble(server: Server, database: Postgres | None, seconds: float, kills: int, restarts: list[float]) -> None:
    """Between the first and the last quarter: kill workers at random moments, and restart the database twice."""
    chance = random.Random(0)
    moments = [(chance.uniform(0.25, 0.7) * seconds, "kill") for _ in range(kills)]
    moments += [(share * seconds, "restart") for share in (0.35, 0.6) if database]
    start = time.monotonic()
    for moment, what in sorted(moments):
        time.sleep(max(0.0, start + moment - time.monotonic()))
        if what == "kill":
            server.kill_a_worker(chance)
        elif database:
            restarts.append(time.monotonic())
            database.stop()
            time.sleep(3)
            database.start()


def _all_at_once(clients: list[Client], ledger: Ledger) -> list[int]:
    """The statuses of as many requests at a time as a server takes."""
    before = len(ledger.answers)
    threads = [threading.Thread(target=client.ask, args=(client.picture,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answer.status for answer in ledger.answers[before:]]


if __name__ == "__main__":
    sys.exit(main())
