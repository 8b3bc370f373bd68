"""Monitoring: drift is found where there is some and seldom where there is none; page, figures and exit status."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
import subprocess
import sys
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from overread import Reader
from overread.errors import InvalidData, InvalidOption, MissingPath
from overread.monitoring.checks import FEWEST, Expected
from overread.monitoring.drift_figure import draw_drift
from overread.monitoring.drift_tests import exceedances_p, fewer_p, holm, kolmogorov_smirnov
from overread.monitoring.monitor import expected_of, monitor
from overread.monitoring.watch import watch
from overread.reading_log import ImageRow, ReadingLog, ReadingRow, Review
from overread.study.train import Study

NOW = datetime.now(UTC)
SINCE = NOW - timedelta(days=30)
COMPONENTS = 8


def expected(random: np.random.Generator, n: int = 400) -> Expected:
    distances = random.chisquare(COMPONENTS, n)
    return Expected(
        scores={"Ill": random.beta(2, 5, n)},
        projections=random.normal(size=(n, COMPONENTS)),
        unfamiliarity=distances / np.quantile(distances, 0.99, method="higher"),
    )


def rows(
    random: np.random.Generator,
    reference: Expected,
    n: int = 200,
    *,
    score: float = 0,
    feature: float = 0,
    reviews: Sequence[bool] = (),
) -> list[ImageRow]:
    """Rows drawn as the reference was, but for what is shifted; the first ones are reviewed, agreeing or not."""
    # The distribution behind the reference, whose own 99th percentile varies.
    limit = stats.chi2(COMPONENTS).ppf(0.99)
    scores = np.clip(random.beta(2, 5, n) + score, 0, 1)
    projections = random.normal(size=(n, COMPONENTS))
    projections[:, 2] += feature
    unfamiliarity = random.chisquare(COMPONENTS, n) / limit
    return [
        ImageRow(
            sha256=f"{i:064x}",
            latency_ms=10.0 + i,
            predicted_label="Ill" if scores[i] >= 0.5 else "Normal",
            probabilities={"Normal": 1 - scores[i], "Ill": scores[i]},
            unfamiliarity=float(unfamiliarity[i]),
            refer=("unfamiliar",) if unfamiliarity[i] > 1 else (),
            projection=tuple(projections[i].tolist()),
            review=None
            if i >= len(reviews)
            else Review(true_label=("Ill" if (scores[i] >= 0.5) == reviews[i] else "Normal"), time=NOW),
            reading_id=f"r{i // 2}",
            time=NOW - timedelta(days=10 - 9 * i / n),
        )
        for i in range(n)
    ]


def look(found: Sequence[ImageRow], reference: Expected | None) -> Any:
    return watch(found, reference, since=SINCE, until=NOW, bundle="b")


def test_kolmogorov_smirnov_agrees_with_scipy_and_errs_on_the_safe_side() -> None:
    random = np.random.default_rng(0)
    for n, m in ((50, 50), (60, 400), (300, 700)):
        for shift in np.linspace(0, 1.2, 20):
            first, second = random.normal(size=n), random.normal(shift, 1, m)
            statistic, p = kolmogorov_smirnov(first, second)
            exact = stats.ks_2samp(first, second, method="exact")
            assert statistic == pytest.approx(exact.statistic)
            if exact.pvalue < 0.1:
                assert exact.pvalue - 1e-9 <= p <= 1.6 * exact.pvalue + 1e-6
    assert kolmogorov_smirnov([1.0] * 50, [1.0] * 50) == (0, 1)


def test_exceedances_agree_with_the_beta_binomial_of_scipy() -> None:
    for above, n, at_limit, m in ((0, 10, 1, 50), (3, 100, 4, 400), (40, 1000, 2, 120)):
        p = exceedances_p(above, n, reference_above=at_limit, n_reference=m)
        assert p == pytest.approx(stats.betabinom(n, at_limit, m + 1 - at_limit).sf(above - 1), rel=1e-6)


def test_a_limit_that_was_estimated_is_not_taken_for_known() -> None:
    """The level of the test of unfamiliar images, and of the binomial test that it replaces."""
    random, naive, ours = np.random.default_rng(1), 0, 0
    for _ in range(1000):
        reference = random.normal(size=300)
        limit = np.quantile(reference, 0.99, method="higher")
        above = int((random.normal(size=1000) > limit).sum())
        ours += exceedances_p(above, 1000, reference_above=int((reference >= limit).sum()), n_reference=300) < 0.05
        naive += stats.binomtest(above, 1000, 0.01, alternative="greater").pvalue < 0.05
    assert ours <= stats.binom(1000, 0.05).ppf(0.999)
    assert naive > 2 * stats.binom(1000, 0.05).ppf(0.999)


def test_fishers_test_agrees_with_scipy() -> None:
    for later, earlier in (((30, 50), (45, 50)), ((0, 10), (10, 10)), ((10, 10), (0, 10)), ((25, 25), (26, 26))):
        table = [[later[0], later[1] - later[0]], [earlier[0], earlier[1] - earlier[0]]]
        assert fewer_p(later, earlier) == pytest.approx(stats.fisher_exact(table, alternative="less").pvalue)


def test_holm_adjusts_as_published() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_a_shift_of_score_or_feature_is_found_and_named() -> None:
    random = np.random.default_rng(2)
    reference = expected(random)
    assert look(rows(random, reference), reference).findings == []
    assert [check.name for check in look(rows(random, reference, score=0.15), reference).findings] == ["score of Ill"]
    moved = look(rows(random, reference, feature=0.6), reference)
    assert [check.name for check in moved.findings] == ["component 3 of the features"]


def test_unfamiliar_images_are_found() -> None:
    random = np.random.default_rng(3)
    reference = expected(random)
    strange = [
        dataclasses.replace(row, unfamiliarity=1.5) if row.reading_id < "r2" else row for row in rows(random, reference)
    ]
    assert [check.name for check in look(strange, reference).findings] == ["share of unfamiliar images"]


def test_without_drift_at_most_one_run_in_a_hundred_finds_some() -> None:
    """Simulated: the reference and the new images are drawn anew each time, from one distribution."""
    random, runs = np.random.default_rng(4), 500
    alarms = 0
    for _ in range(runs):
        reference = expected(random, 300)
        reviews = (random.random(100) < 0.9).tolist()
        alarms += bool(look(rows(random, reference, 120, reviews=reviews), reference).findings)
    assert alarms <= stats.binom(runs, 0.01).ppf(0.999)


def test_falling_agreement_is_found_and_steady_one_is_not() -> None:
    random = np.random.default_rng(5)
    reference = expected(random)
    falls = look(rows(random, reference, reviews=[True] * 50 + [True, False] * 25), None)
    assert [check.name for check in falls.findings] == ["agreement with humans"]
    assert falls.rates["agreement"].metric.value == 0.75
    assert sum(falls.confusion.values()) == 100
    assert look(rows(random, reference, reviews=[True, True, True, False] * 25), None).findings == []
    assert not falls.has_reference


def test_too_few_images_are_not_tested_and_it_is_said_why() -> None:
    random = np.random.default_rng(6)
    reference = expected(random)
    few = look(rows(random, reference, FEWEST - 1, score=0.5), reference)
    assert few.findings == []
    assert all(check.reason and check.p is None for check in few.checks)
    assert look(rows(random, reference, FEWEST, score=0.5), reference).findings
    empty = look([], reference)
    assert (empty.n_images, empty.latency_ms["p50"], empty.findings) == (0, None, [])
    assert empty.rates["referred"].metric.reason


def test_an_image_that_is_sent_again_and_again_counts_once() -> None:
    random = np.random.default_rng(7)
    reference = expected(random)
    (first, *_), others = rows(random, reference, 1, score=0.6), rows(random, reference, 100)
    again = [dataclasses.replace(first, reading_id=f"again{i}", sha256="f" * 64) for i in range(300)]
    found = look([*others, *again], reference)
    assert (found.n_images, found.n_distinct) == (400, 101)
    assert found.findings == []


def test_volume_failures_and_latency_are_counted() -> None:
    random = np.random.default_rng(8)
    made = rows(random, expected(random), 100)
    failed = [
        ImageRow(sha256="e" * 64, latency_ms=1.0, error=code, reading_id="bad", time=NOW)
        for code in ("UnreadableImage", "UnreadableImage", "TimedOut")
    ]
    found = look([*made, *failed], None)
    assert (found.n_readings, found.n_images, found.n_distinct) == (51, 103, 100)
    assert dict(found.failures) == {"UnreadableImage": 2, "TimedOut": 1}
    assert found.latency_ms == {"p50": 59.5, "p99": pytest.approx(108.01)}
    assert found.rates["failed"].metric.value == 3 / 103
    assert found.rates["referred"].metric.n == 100
    assert sum(counts["images"] for counts in found.by_day.values()) == 103
    assert json.loads(json.dumps(found.to_dict()))["n_images"] == 103


def test_the_figure_holds_each_day_against_the_reference(tmp_path: Path) -> None:
    random = np.random.default_rng(9)
    times = [NOW - timedelta(days=i % 3) for i in range(90)]
    png = draw_drift(
        times, random.normal(size=90), random.normal(size=500), name="score of $x", path=tmp_path / "d", limit=1.0
    )
    assert png.read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "d.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [(row["day"], row["n"]) for row in table[:1]] == [("reference", "500")]
    assert [row["n"] for row in table[1:]] == ["30"] * 3
    with pytest.raises(InvalidData, match="nothing to draw"):
        draw_drift([], [], [1.0], name="score", path=tmp_path / "e")


def log_readings(url: str, reader: Reader, paths: Sequence[Path], *, turned: bool = False) -> None:
    """Log what a bundle really makes of images, as the reading room does."""
    log = ReadingLog.open(url)
    for number, found in enumerate(reader.read_many([str(path) for path in paths])):
        assert not hasattr(found, "error")
        probabilities = dict(found.probabilities)
        if turned:
            probabilities = dict(zip(probabilities, reversed(probabilities.values()), strict=True))
        image = ImageRow(
            sha256=hashlib.sha256(Path(found.path).read_bytes()).hexdigest(),
            latency_ms=5.0,
            predicted_label=found.predicted_label,
            probabilities=probabilities,
            unfamiliarity=found.unfamiliarity,
            refer=found.refer,
            projection=tuple(map(float, found.projection)),
        )
        time = NOW - timedelta(hours=number)
        log.add(ReadingRow(id=uuid.uuid4().hex, time=time, bundle=reader.bundle.fingerprint, images=(image,)))
    log.close()


def test_monitor_reads_a_log_and_writes_a_page(tiny_study: Study, two_classes: Path, tmp_path: Path) -> None:
    url, out = f"sqlite:///{tmp_path / 'log.sqlite'}", tmp_path / "out"
    log_readings(url, Reader.load(tiny_study.out / "bundle"), sorted(two_classes.rglob("*.png")))
    command = [sys.executable, "-m", "overread.cli", "monitor", "--log-url", url]
    command += ["--bundle", str(tiny_study.out / "bundle"), "--out", str(out), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    assert found["n_images"] == 64
    assert done.returncode == (1 if found["findings"] else 0), done.stderr
    assert found == json.loads((out / "monitoring.json").read_text(encoding="utf-8"))
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "score of Disease" in page
    assert (out / "figures" / "score_of_disease.png").exists()
    assert (out / "figures" / "share_of_unfamiliar_images.csv").exists()
    told = subprocess.run([*command[:-3], "--since", "1"], capture_output=True, text=True, check=False)
    assert "referred" in told.stdout
    assert "no test is made of fewer than 50" in told.stdout


def test_other_bundles_are_left_out_and_other_days_too(tiny_study: Study, two_classes: Path, tmp_path: Path) -> None:
    url, reader = f"sqlite:///{tmp_path / 'log.sqlite'}", Reader.load(tiny_study.out / "bundle")
    log_readings(url, reader, sorted(two_classes.rglob("*.png"))[:48])
    log = ReadingLog.open(url)
    image = ImageRow(sha256="a" * 64, latency_ms=1.0, error="UnreadableImage")
    log.add(ReadingRow(id="other", time=NOW, bundle="0" * 64, images=(image,)))
    log.close()
    assert monitor(url).n_images == 49
    assert monitor(url, reader.bundle).n_images == 48
    assert monitor(url, reader.bundle, since_days=1).n_images in (24, 25)


def test_what_monitor_cannot_do_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingPath, match="is not there"):
        monitor(f"sqlite:///{tmp_path / 'none.sqlite'}")
    assert not (tmp_path / "none.sqlite").exists()
    with pytest.raises(InvalidOption, match="--since"):
        monitor(f"sqlite:///{tmp_path / 'none.sqlite'}", since_days=0)


def test_of_an_ensemble_only_its_first_networks_features_are_held_against_a_reference(
    tiny_study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tiny_study.bundle
    (reference,) = bundle.references()
    assert list(expected_of(bundle).scores) == ["Disease"]
    assert (expected_of(bundle).unfamiliarity > 1).mean() <= 0.01
    monkeypatch.setattr(type(bundle), "references", lambda _: (reference, reference))
    ensemble = expected_of(bundle)
    assert (dict(ensemble.scores), ensemble.unfamiliarity.size) == ({}, 0)
    names = [check.name for check in look([], ensemble).checks]
    assert len(names) == ensemble.projections.shape[1] + 1
