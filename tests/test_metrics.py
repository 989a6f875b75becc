"""Figures of a run."""

import json

import pytest

from mirror.metrics import Metrics, Rate, Samples


def test_samples_know_their_quantiles() -> None:
    samples = Samples()
    for value in range(1, 102):
        samples.add(float(value))
    assert samples.summary() == {"p50": 51.0, "p95": 96.0}


def test_samples_keep_only_the_newest() -> None:
    samples = Samples(kept=10)
    for value in range(1000):
        samples.add(float(value))
    assert samples.quantile(0.0) == 990.0
    assert samples.count == 1000


def test_a_rate_counts_from_the_first_to_the_last() -> None:
    rate = Rate()
    for n in range(31):
        rate.tick(100.0 + n / 30.0)
    assert rate.overall() == pytest.approx(30.0)
    assert rate.now(101.0) == pytest.approx(30.0)
    assert rate.now(200.0) == 0.0


def test_the_report_of_an_empty_run_is_complete() -> None:
    report = json.loads(json.dumps(Metrics().report()))
    assert report["frames"] == 0
    assert report["switch_ms"] is None
    assert set(report) == {
        "frames", "shown_fps", "fits_per_s", "age_ms", "fit_age_ms", "stages_ms", "switch_ms", "dropped",
        "person_found", "engine", "garments_shown", "rss_mb",
    }  # fmt: skip


def test_a_picture_shown_again_with_another_garment_counts_once() -> None:
    metrics = Metrics()
    metrics.picture_shown(1.00, 0.98, index=0, t_fit=0.90, slug="a")
    metrics.switch_asked(1.00, "b")
    metrics.picture_shown(1.02, 0.98, index=0, t_fit=0.95, slug="b")
    metrics.picture_shown(1.04, 1.02, index=1, t_fit=0.95, slug="b")
    report = metrics.report()
    assert (report["frames"], report["dropped"]) == (2, 0)
    assert metrics.age.count == metrics.fit_age.count == 2
    assert report["switch_ms"]["p50"] == pytest.approx(20.0)


def test_ages_switches_and_dropped_pictures_are_measured() -> None:
    metrics = Metrics()
    metrics.picture_shown(1.00, 0.98, index=4, t_fit=None, slug=None)
    metrics.picture_shown(1.03, 1.01, index=5, t_fit=0.95, slug="a")
    metrics.switch_asked(1.04, "b")
    metrics.picture_shown(1.06, 1.04, index=8, t_fit=0.98, slug="a")
    metrics.picture_shown(1.14, 1.12, index=9, t_fit=1.06, slug="b")
    metrics.picture_shown(1.17, 1.15, index=10, t_fit=1.09, slug="b")
    report = metrics.report()
    assert report["frames"] == 5
    assert report["dropped"] == 2
    assert report["age_ms"]["p50"] == pytest.approx(20.0, abs=0.1)
    assert report["fit_age_ms"]["p50"] == pytest.approx(80.0, abs=0.1)
    assert report["switch_ms"] == {"p50": pytest.approx(100.0, abs=0.1), "p95": pytest.approx(100.0, abs=0.1)}
    assert report["garments_shown"] == ["a", "b"]


def test_a_switch_asked_again_counts_from_the_newest() -> None:
    metrics = Metrics()
    metrics.switch_asked(1.0, "b")
    metrics.switch_asked(2.0, "c")
    metrics.picture_shown(2.05, 2.0, 0, 2.0, "b")
    assert metrics.report()["switch_ms"] is None
    metrics.picture_shown(2.1, 2.0, 1, 2.0, "c")
    assert metrics.report()["switch_ms"]["p50"] == pytest.approx(100.0, abs=0.1)


def test_a_stage_is_timed_even_when_it_raises() -> None:
    metrics = Metrics()
    with pytest.raises(ValueError), metrics.stage("fit"):
        raise ValueError
    assert set(metrics.report()["stages_ms"]["fit"]) == {"p50", "p95", "cpu"}
