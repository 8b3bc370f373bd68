"""Fixtures shared by the tests: real data where it is present, small images made in code otherwise."""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from overread.machine.remote import place
from overread.networks.augmentation import Augmentation
from overread.recipe import Recipe
from overread.study.data import read_manifest
from overread.study.train import Study, train
from support.figures import figures_left_blank
from support.image_files import write_images
from support.object_store import VARIABLES, object_store
from support.postgres import NoPostgres, Postgres

# No test asserts a time, and a busy machine is no defect.
settings.register_profile("overread", deadline=None)
settings.load_profile("overread")

# The files that take longest, which are begun first, lest one still run when all others have ended.
LONGEST = (
    "test_doc_commands",
    "test_docs",
    "test_crossvalidation",
    "test_notebook",
    "test_train_folds",
    "test_study",
    "test_training",
    "test_cli",
    "test_own_network",
    "test_audit",
    "test_in_time",
    "test_kills",
    "test_reading_log",
    "test_browser",
    "test_program",
    "test_lock",
    "test_networks",
    "test_resume",
    "test_private_names",
    "test_service_storm",
)

# It looks 3,000 times while all is imported otherwise, for a tenth of the time.
gc.set_threshold(50_000)

# TensorFlow writes a screenful of start-up notices otherwise.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def pytest_collection_finish() -> None:
    """Have the garbage collector leave out what has been imported."""
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what the program would keep for its user out of the user's own folders."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OVERREAD_STORE", "XDG_STATE_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        yield


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin each test on a machine on which no test set was opened."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images, or a skip that says how to provide it."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("OVERREAD_DATA", default))
    if not folder.is_dir():
        pytest.skip("no real images here: set OVERREAD_DATA to the folder that holds chest_xray/ and dicom/")
    return folder


@pytest.fixture(scope="session")
def two_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64 easy grey images of Normal and Disease, two for each patient."""
    return write_images(tmp_path_factory.mktemp("two") / "data", {"Normal": 40, "Disease": 24})


@pytest.fixture(scope="session")
def tiny_study(two_classes: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A whole training run on the two easy classes: a network of 32 pixels, three epochs."""
    folder = tmp_path_factory.mktemp("study")
    gentle = Augmentation(zoom=0.1, shift=0.05, gamma=0, blur=0, sharpness=0, noise=0, brightness=0.1, contrast=0.2)
    recipe = Recipe(
        network="compact",
        size=32,
        epochs=3,
        batch_size=8,
        precision="float32",
        learning_rate=5e-3,
        augmentation=gentle,  # three epochs teach it something then
    )
    return train(read_manifest(two_classes, patient_pattern=r"^\w\d+"), folder / "run", recipe, store=folder / "store")


@pytest.fixture(scope="session")
def store_address() -> Iterator[str]:
    """Where an S3 server answers."""
    with object_store() as address:
        yield address


@pytest.fixture
def bucket(store_address: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """An empty folder in a bucket of that server, reached as users reach theirs."""
    for name, value in {**VARIABLES, "AWS_ENDPOINT_URL": store_address}.items():
        monkeypatch.setenv(name, value)
    bucket = place("s3://bucket-" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12])
    bucket.mkdir()
    return bucket / "archive"


@pytest.fixture(scope="session")
def cluster() -> Iterator[None]:
    """A Ray of this machine, whose processes load what the tests have of their own."""
    pytest.importorskip("ray")
    from overread.scale.cluster import connected

    tests = Path(__file__).parent
    with pytest.MonkeyPatch.context() as patch:
        paths = (tests, tests / "support" / "deadly", os.environ.get("PYTHONPATH", ""))
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, paths)))
        with connected("ray"):
            yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A private PostgreSQL server, or a skip that says what is missing."""
    try:
        server = Postgres()
    except NoPostgres as missing:
        pytest.skip(str(missing))
    yield server
    server.remove()


@pytest.fixture
def blank_figures() -> Iterator[None]:
    """Leave out the rendering of figures; fixtures of a module draw before it."""
    with figures_left_blank():
        yield


@pytest.fixture(scope="session")
def client(tiny_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of the whole service on the bundle of the tiny study, with a log, real workers and low limits."""
    from fastapi.testclient import TestClient

    from overread.reading import Reader
    from overread.reading_log import ReadingLog
    from overread.service.app import create_app
    from overread.service.settings import MIB, Settings

    settings = Settings(
        max_upload_bytes=4 * MIB, max_file_bytes=2 * MIB, max_files=20, max_pixels=2 * MIB, max_waiting=20, workers=2
    )
    log = ReadingLog.open(f"sqlite:///{tmp_path_factory.mktemp('log') / 'readings.sqlite'}")
    app = create_app({"tiny": Reader.load(tiny_study.out / "bundle")}, settings, log)
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as opened:
        yield opened
    log.close()
