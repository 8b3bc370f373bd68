"""The reading log on SQLite and PostgreSQL: whole or absent, migrated, shared by processes, silent about persons."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import traceback
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from overread.decision import SeveralFindings
from overread.errors import (
    InvalidData,
    InvalidOption,
    KeyInProgress,
    KeyReused,
    LogUnavailable,
    OverreadError,
    UnknownReading,
)
from overread.reading_log import ImageRow, ReadingLog, ReadingRow, database, default_url
from overread.reading_log import log as log_module
from overread.reading_log.tables import VERSION_TABLE, metadata, readings
from support.postgres import Postgres

NOW = datetime.now(UTC)
WRITER = """
import itertools, random, sys, uuid
from datetime import UTC, datetime
from overread.reading_log import ImageRow, ReadingLog, ReadingRow

log = ReadingLog.open(sys.argv[1])
for _ in itertools.count() if sys.argv[2] == "ever" else range(int(sys.argv[2])):
    n = random.randint(1, 40)
    image = ImageRow(sha256="a" * 64, latency_ms=1.0, predicted_label="Ill", probabilities={"Normal": 0.1, "Ill": 0.9})
    reading = ReadingRow(id=f"{n}-{uuid.uuid4().hex}", time=datetime.now(UTC), bundle="b" * 64, images=(image,) * n)
    log.add(reading)
    print(reading.id, flush=True)
"""


def image(**changes: Any) -> ImageRow:
    values: dict[str, Any] = {
        "sha256": "a" * 64,
        "latency_ms": 12.5,
        "predicted_label": "Ill",
        "probabilities": {"Normal": 0.25, "Ill": 0.75},
        "positive": True,
        "threshold": 0.4,
        "prediction_set": ("Normal", "Ill"),
        "unfamiliarity": 1.5,
        "refer": ("uncertain", "unfamiliar"),
        "projection": (0.5, -1.25),
    }
    return ImageRow(**{**values, **changes})


def reading(*images: ImageRow, age: timedelta = timedelta(0), bundle: str = "b" * 64) -> ReadingRow:
    return ReadingRow(id=uuid.uuid4().hex, time=NOW - age, bundle=bundle, images=images or (image(),))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state' / 'readings.sqlite'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def log(url: str) -> Iterator[ReadingLog]:
    opened = ReadingLog.open(url)
    yield opened
    opened.close()


def writers(url: str, number: int, times: str) -> list[subprocess.Popen[str]]:
    command = [sys.executable, "-c", WRITER, url, times]
    return [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(number)]


def check_whole(log: ReadingLog, printed: list[str]) -> None:
    """Every reading whose id was printed is there, and none, printed or not, lacks an image."""
    sizes: dict[str, int] = {}
    for found in log.images():
        sizes[found.reading_id] = sizes.get(found.reading_id, 0) + 1
    assert set(printed) <= set(sizes)
    assert all(size == int(name.split("-")[0]) for name, size in sizes.items())
    with database.transaction(log.engine) as connection:
        readings = connection.execute(sa.text("SELECT id FROM overread_readings")).scalars().all()
    assert set(readings) == set(sizes)


def test_a_reading_comes_back_as_it_was_logged(log: ReadingLog) -> None:
    failed = ImageRow(sha256="c" * 64, latency_ms=3.0, error="UnreadableImage")
    given = reading(image(), failed, image(predicted_label="Normal"))
    log.add(given)
    assert log.get(given.id) == given
    assert [(row.index, row.reading_id, row.bundle, row.time) for row in log.get(given.id).images] == [
        (index, given.id, "b" * 64, NOW) for index in range(3)
    ]


def test_an_id_is_logged_once(log: ReadingLog) -> None:
    given = reading()
    log.add(given)
    with pytest.raises(InvalidData, match="already"):
        log.add(given)
    assert len(list(log.images())) == 1


def test_images_are_chosen_by_time_and_bundle(log: ReadingLog) -> None:
    for age in (3, 1, 2):
        log.add(reading(age=timedelta(days=age), bundle=str(age) * 64))
    assert [row.bundle[0] for row in log.images()] == ["3", "2", "1"]
    since, until = NOW - timedelta(days=2), NOW - timedelta(days=1)
    assert [row.bundle[0] for row in log.images(since, until)] == ["2"]
    assert [row.bundle[0] for row in log.images(bundle="1" * 64)] == ["1"]


def test_what_a_human_says_is_kept_and_replaced(log: ReadingLog) -> None:
    given = reading(image(), ImageRow(sha256="c" * 64, latency_ms=3.0, error="UnreadableImage"))
    log.add(given)
    log.review(given.id, 0, "Ill", NOW)
    log.review(given.id, 0, "Normal")
    review = log.get(given.id).images[0].review
    assert review is not None
    assert review.true_label == "Normal"
    assert review.time >= NOW
    with pytest.raises(InvalidOption, match="Normal, Ill"):
        log.review(given.id, 0, "Other")
    with pytest.raises(InvalidData, match="could not be read"):
        log.review(given.id, 1, "Ill")
    for unknown in ((given.id, 2), ("none", 0)):
        with pytest.raises(UnknownReading, match="no image"):
            log.review(*unknown, "Ill")
    with pytest.raises(UnknownReading, match="no reading"):
        log.get("none")


def test_a_human_sees_any_findings_and_they_are_kept_in_the_order_of_the_bundle(log: ReadingLog) -> None:
    task = SeveralFindings(("Effusion", "Mass"))
    asked = [{"name": "Mass", "probability": 0.8, "threshold": 0.4, "answer": "present"}]
    given = reading(
        image(predicted_label="Mass", probabilities={"Effusion": 0.2, "Mass": 0.8}, questions=asked),
        image(predicted_labels={"eye": "2"}),
    )
    log.add(given)
    assert log.get(given.id) == given
    log.review(given.id, 0, "Mass|Effusion", task=task)
    review = log.get(given.id).images[0].review
    assert review is not None and review.true_label == "Effusion|Mass"
    log.review(given.id, 0, "No Finding", task=task)
    with pytest.raises(InvalidOption, match="Effusion, Mass"):
        log.review(given.id, 0, "Hernia", task=task)
    with pytest.raises(InvalidData, match="unknown label"):
        log.review(given.id, 0, "?Hernia", task=task)


def test_a_request_is_answered_once(log: ReadingLog) -> None:
    given = reading()
    assert log.begin("key", "one") is None
    with pytest.raises(KeyInProgress):
        log.begin("key", "one")
    log.add(given, key="key")
    assert log.begin("key", "one") == given
    with pytest.raises(KeyReused):
        log.begin("key", "other")


def test_requests_claimed_and_logged_together_end_as_each_by_itself(log: ReadingLog) -> None:
    known, fresh, lost = reading(), reading(), reading()
    log.begin("known", "one")
    log.add(known, key="known")
    first, second, third = log.begin_all([("known", "one"), ("fresh", "two"), ("known", "other")])
    assert first == known and second is None and isinstance(third, KeyReused)
    found = log.add_all([(fresh, "fresh"), (lost, "never claimed"), (known, None)])
    assert found[0] is None and isinstance(found[1], KeyReused) and isinstance(found[2], InvalidData)
    assert log.get(fresh.id) == fresh
    with pytest.raises(UnknownReading):
        log.get(lost.id)
    others = [reading() for _ in range(3)]
    assert log.begin_all([(other.id, "one") for other in others]) == [None] * 3
    assert log.add_all([(other, other.id) for other in others]) == [None] * 3
    assert [log.begin(other.id, "one") for other in others] == others


def test_a_withdrawn_key_is_free_and_a_used_one_is_not(log: ReadingLog) -> None:
    assert log.begin("key", "one") is None
    log.withdraw("key")
    assert log.begin("key", "other") is None
    given = reading()
    log.add(given, key="key")
    log.withdraw("key")
    assert log.begin("key", "other") == given


def test_of_many_that_claim_a_key_at_once_one_gets_it(log: ReadingLog) -> None:
    def claim(_: int) -> str:
        try:
            return str(log.begin("key", "one"))
        except KeyInProgress:
            return "in progress"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(claim, range(24)))
    assert sorted(said) == ["None"] + ["in progress"] * 23


def test_the_claim_of_a_dead_process_is_given_away(log: ReadingLog, monkeypatch: pytest.MonkeyPatch) -> None:
    assert log.begin("key", "one") is None
    monkeypatch.setattr(log_module, "CLAIM_TIMEOUT", timedelta(0))
    assert log.begin("key", "two") is None
    second, first = reading(), reading()
    log.add(second, key="key")
    with pytest.raises(KeyReused, match="taken over"):
        log.add(first, key="key")
    with pytest.raises(UnknownReading):
        log.get(first.id)
    assert log.begin("key", "two") == second


def test_old_readings_go_with_their_images_reviews_and_keys(url: str) -> None:
    log = ReadingLog.open(url)
    old, new = reading(image(), image(), age=timedelta(days=31)), reading(age=timedelta(days=29))
    assert log.begin("old", "one") is None
    log.add(old, key="old")
    log.review(old.id, 0, "Ill")
    log.add(new)
    log.close()
    log = ReadingLog.open(url, retention_days=30)
    assert [row.reading_id for row in log.images()] == [new.id]
    assert log.begin("old", "one") is None
    assert log.remove_older_than(28) == 1
    assert list(log.images()) == []
    log.close()
    if url.startswith("sqlite"):
        assert b"Normal" not in Path(url.removeprefix("sqlite:///")).read_bytes()
    with pytest.raises(InvalidOption, match="more than 0"):
        ReadingLog.open(url, retention_days=0)


def test_a_log_in_use_forgets_hourly(log: ReadingLog, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = ReadingLog.open(url, retention_days=30)
    log.add(reading(age=timedelta(days=31)))
    kept.add(reading())
    assert len(list(log.images())) == 2
    later = time.monotonic() + 3601
    # The clock of the log alone: threads of the other tests in this process would sleep by a clock that jumps.
    monkeypatch.setattr(log_module, "time", SimpleNamespace(monotonic=lambda: later))
    kept.add(reading())
    assert len(list(log.images())) == 2
    kept.close()


def test_threads_and_processes_that_write_together_lose_nothing(log: ReadingLog, url: str) -> None:
    processes = writers(url, 3, "25")
    given = [reading() for _ in range(100)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(log.add, given))
    printed = [line.strip() for process in processes for line in process.communicate()[0].splitlines()]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(printed) == 75
    assert {row.reading_id for row in log.images()} == {*printed, *(row.id for row in given)}


def test_a_writer_killed_at_any_moment_loses_and_halves_nothing(url: str) -> None:
    printed: list[str] = []
    for round_number in range(6):
        processes = writers(url, 2, "ever")
        for process in processes:
            assert process.stdout is not None
            printed.append(process.stdout.readline().strip())
        time.sleep(0.03 + 0.07 * round_number)
        for process in processes:
            process.send_signal(signal.SIGKILL)
        for process in processes:
            said = process.communicate()[0]
            printed += said.splitlines()[: said.count("\n")]  # the last line may be half printed
            assert process.returncode == -signal.SIGKILL
        log = ReadingLog.open(url)
        check_whole(log, printed)
        log.close()
    assert len(printed) > 12
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()


def test_processes_that_open_a_new_log_together_do_not_collide(url: str) -> None:
    processes = writers(url, 6, "1")
    printed = [process.communicate()[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0] * 6
    log = ReadingLog.open(url)
    check_whole(log, printed)
    log.close()


def test_migrations_make_the_tables_that_the_program_uses(log: ReadingLog) -> None:
    with database.transaction(log.engine) as connection:
        found = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(found, metadata) == []


def test_a_log_whose_labels_had_one_name_for_two_things_is_migrated(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Path(shutil.copytree(database.MIGRATIONS, tmp_path / "migrations"))
    for later in ("r0002_labels.py", "r0003_questions.py", "r0004_exams.py"):
        (first / "versions" / later).unlink()
    with monkeypatch.context() as patched:
        patched.setattr(database, "MIGRATIONS", first)
        with database.transaction(engine := database.open_database(url), writing=True) as connection:
            connection.execute(sa.insert(readings).values(id="1", time=NOW, bundle="b" * 64))
            connection.execute(
                sa.text(
                    'INSERT INTO overread_images (reading_id, "index", sha256, latency_ms, label, probabilities, '
                    "prediction_set, refer, projection, review_label, review_time) VALUES ('1', 0, :sha256, 1, 'Ill', "
                    """ '{"Normal": 0.25, "Ill": 0.75}', '["Ill"]', '[]', '[0.5]', 'Normal', '2026-11-01 00:00:00')"""
                ),
                {"sha256": "a" * 64},
            )
        engine.dispose()
    log = ReadingLog.open(url)
    (found,) = log.get("1").images
    assert found.review is not None
    assert (found.predicted_label, found.review.true_label, found.projection) == ("Ill", "Normal", (0.5,))
    log.close()


def next_migrations(folder: Path, more: str = "") -> Path:
    """The migrations of a later program, whose newest adds a column and does what else it is told."""
    copied = Path(shutil.copytree(database.MIGRATIONS, folder / "migrations"))
    (copied / "versions" / "r0004_next.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\nrevision, down_revision = '0005', '0004'\n"
        f"def upgrade():\n    op.add_column('overread_images', sa.Column('site', sa.Text))\n{more}",
        encoding="utf-8",
    )
    return copied


def test_an_older_log_is_migrated_and_a_newer_one_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, given = ReadingLog.open(url), reading()
    log.add(given)
    log.close()
    future = next_migrations(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(database, "MIGRATIONS", future)
        log = ReadingLog.open(url)
        with database.transaction(log.engine) as connection:
            assert connection.execute(sa.text("SELECT site FROM overread_images")).scalars().all() == [None]
        log.close()
    with pytest.raises(LogUnavailable, match=r"newer overread \(tables of revision 0005, known up to 0004\)"):
        ReadingLog.open(url)


def test_a_migration_that_fails_leaves_the_log_as_it_was(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, given = ReadingLog.open(url), reading()
    log.add(given)
    log.close()
    broken = next_migrations(tmp_path, "    op.execute('nonsense')\n")
    with monkeypatch.context() as patched:
        patched.setattr(database, "MIGRATIONS", broken)
        with pytest.raises(LogUnavailable, match="nonsense"):
            ReadingLog.open(url)
    log = ReadingLog.open(url)
    assert log.get(given.id) == given
    log.close()


def test_a_sqlite_log_is_private_and_written_ahead(tmp_path: Path) -> None:
    path = tmp_path / "state" / "overread" / "readings.sqlite"
    log = ReadingLog.open(f"sqlite:///{path}")
    log.add(reading())
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.with_name("readings.sqlite-wal").stat().st_mode & 0o777 == 0o600
    with database.transaction(log.engine) as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        ]
    assert pragmas == ["wal", 2, 1, 1]
    log.close()


def test_the_log_loads_no_training_library() -> None:
    code = (
        "import sys, overread.reading_log, overread.monitoring.monitor; "
        "print(sorted({'keras', 'tensorflow', 'scipy', 'matplotlib', 'fastapi'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_default_log_lies_in_the_state_folder_or_where_the_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OVERREAD_LOG", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_url() == f"sqlite:///{tmp_path}/overread/readings.sqlite"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert default_url().endswith("/.local/state/overread/readings.sqlite")
    monkeypatch.setenv("OVERREAD_LOG", "postgresql://host/readings")
    assert default_url() == "postgresql://host/readings"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://clinic:s3cret@127.0.0.1:1/readings",
        "postgresql://127.0.0.1:1/readings?user=clinic&password=s3cret",
        "postgresql://clinic:s3cret@127.0.0.1:port/readings",
        "postgresql://clinic:pa/s3cret@127.0.0.1:1/readings",
        "mysql://clinic:s3cret@127.0.0.1/readings",
        "s3cret",
        "sqlite://",
        "sqlite:////dev/null/s3cret-is-a-folder-here/readings.sqlite",
    ],
)
def test_a_password_stays_out_of_messages(url: str) -> None:
    with pytest.raises(OverreadError) as caught:
        ReadingLog.open(url)
    if not url.startswith("sqlite"):
        assert "s3cret" not in "".join(traceback.format_exception(caught.value, limit=0))
    assert ":" in str(caught.value)


def test_a_full_disk_is_said_and_halves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    log = ReadingLog.open(f"sqlite:///{path}")
    with database.transaction(log.engine) as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 8}")
    added = []
    with pytest.raises(LogUnavailable, match="full"):
        for _ in range(1000):
            given = reading(*[image()] * 5)
            log.add(given)
            added.append(given.id)
    assert sorted(row.reading_id for row in log.images()) == sorted(added * 5)
    log.close()


def sqlite_log(folder: Path) -> tuple[ReadingLog, Path]:
    path = folder / "log.sqlite"
    return ReadingLog.open(f"sqlite:///{path}"), path


def files_of(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}*"))


def test_a_file_that_was_moved_away_takes_no_reading_until_it_is_back(tmp_path: Path) -> None:
    log, path = sqlite_log(tmp_path)
    first, lost, last = reading(), reading(), reading()
    log.add(first)
    (away := tmp_path / "away").mkdir()
    for file in files_of(path):
        file.rename(away / file.name)
    for refused in (lambda: log.add(lost), lambda: log.get(first.id), log.check):
        with pytest.raises(LogUnavailable, match="unable to open"):
            refused()
    assert files_of(path) == [], "none is made anew, which would hide that readings are gone"
    for file in away.iterdir():
        file.rename(path.parent / file.name)
    log.check()
    log.add(last)
    assert {row.reading_id for row in log.images()} == {first.id, last.id}
    log.close()


def test_a_file_that_was_replaced_is_the_log_from_then_on(tmp_path: Path) -> None:
    log, path = sqlite_log(tmp_path)
    (tmp_path / "other").mkdir()
    other, other_path = sqlite_log(tmp_path / "other")
    kept, gone, new = reading(), reading(), reading()
    other.add(kept)
    other.close()
    log.add(gone)
    for file in files_of(path):
        file.unlink()
    other_path.rename(path)
    log.add(new)
    log.close()
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT id FROM overread_readings").fetchall()
    connection.close()
    assert {name for (name,) in found} == {kept.id, new.id}


def test_a_reading_whose_file_vanishes_while_it_is_written_is_not_taken_for_logged(tmp_path: Path) -> None:
    log, path = sqlite_log(tmp_path)
    with (
        pytest.raises(LogUnavailable, match="removed or replaced"),
        database.transaction(log.engine, writing=True) as connection,
    ):
        connection.execute(sa.insert(readings).values(id="1", time=NOW, bundle="b" * 64))
        path.unlink()
    log.close()


def test_a_check_writes_and_reads_and_leaves_nothing(log: ReadingLog) -> None:
    log.check()
    with database.transaction(log.engine) as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM overread_claims")).scalar_one() == 0


LIMITED = """
import os, resource, sys
from overread.errors import LogUnavailable
from overread.reading_log import ReadingLog

log = ReadingLog.open(sys.argv[1])
log.check()
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))  # no file grows, as on a full disk
try:
    log.check()
except LogUnavailable:
    print("refused")
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
log.check()
print("well")
"""


def test_a_check_finds_that_nothing_can_be_written_and_that_it_can_again(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIMITED, f"sqlite:///{tmp_path / 'log.sqlite'}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "refused\nwell\n"


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "x" * 65, "../x", "a\nb"])
def test_an_id_that_no_reading_can_have_is_unknown(log: ReadingLog, name: str) -> None:
    with pytest.raises(UnknownReading):
        log.get(name)
    with pytest.raises(UnknownReading):
        log.review(name, 0, "Ill")
    with pytest.raises(InvalidData):
        ReadingRow(id=name, time=NOW, bundle="b" * 64, images=(image(),))


@pytest.mark.parametrize("index", [-1, 2**31 - 1, 2**31, 2**63, 2**200])
def test_an_index_that_no_image_can_have_is_unknown(log: ReadingLog, index: int) -> None:
    given = reading()
    log.add(given)
    with pytest.raises(UnknownReading):
        log.review(given.id, index, "Ill")


def test_a_value_that_a_database_cannot_hold_is_no_broken_log(log: ReadingLog, url: str) -> None:
    for value in (2**63 if url.startswith("sqlite") else "a\0b", "\ud800"):
        with pytest.raises(InvalidData, match="cannot hold"), database.transaction(log.engine) as connection:
            connection.execute(sa.text("SELECT :value"), {"value": value})
    assert list(log.images()) == []


def test_a_claim_from_before_the_clock_was_set_back_is_given_away(
    log: ReadingLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert log.begin("key", "one") is None

    class SetBack(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) - timedelta(hours=1)

    monkeypatch.setattr(log_module, "datetime", SetBack)
    assert log.begin("key", "two") is None


def test_a_database_that_is_gone_is_said_and_used_again_when_it_is_back(postgres: Postgres) -> None:
    log = ReadingLog.open(postgres.url())
    before, lost, after = reading(), reading(), reading()
    log.add(before)
    postgres.stop()
    try:
        for refused in (lambda: log.add(lost), log.check):
            with pytest.raises(LogUnavailable):
                refused()
    finally:
        postgres.start()
    log.check()
    log.add(after)
    assert {row.reading_id for row in log.images()} == {before.id, after.id}
    log.close()


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database " * 100, encoding="utf-8")
    with pytest.raises(LogUnavailable, match="file is not a database"):
        ReadingLog.open(f"sqlite:///{tmp_path / 'notes.txt'}")


@pytest.mark.parametrize(
    "changes",
    [
        {"error": "cannot read mueller_anna.dcm", "predicted_label": None},
        {"error": "mueller.png", "predicted_label": None},
        {"error": "UnreadableImage"},
        {"predicted_label": None},
        {"sha256": "mueller_anna.dcm"},
        {"unfamiliarity": float("nan")},
        {"projection": (float("inf"),)},
        {"time": datetime(2026, 1, 1)},
    ],
)
def test_a_row_that_could_name_a_person_or_cannot_be_compared_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidData) as caught:
        image(**changes)
    assert "mueller" not in str(caught.value)


def test_nothing_that_a_client_calls_its_request_is_kept(log: ReadingLog) -> None:
    assert log.begin("mueller-anna-1970", "one") is None
    with database.transaction(log.engine) as connection:
        assert "mueller" not in str(connection.execute(sa.text("SELECT * FROM overread_claims")).all())
