"""The curve of accuracy against size: a law that is known, the frontier, what is refused."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from modeler.cli.main import cli, main
from modeler.predict.accuracy import NoCurve, _fit, accuracy_curve, benchmarks
from modeler.predict.catalogue import catalogue

IMAGENET = "ImageNet-1K acc@1"


@pytest.mark.parametrize(("top", "scale", "power"), [(90.0, 900.0, 0.3), (80.0, 4e4, 0.5)])
def test_a_known_law_is_found_again(top, scale, power):
    sizes = np.geomspace(1e6, 1e9, 12)
    found = _fit(sizes, top - scale * sizes**-power)
    # The powers are searched in steps of 0.01.
    assert found == pytest.approx((top, scale, power), rel=1e-6)


def test_the_frontier_is_what_no_smaller_model_reaches():
    curve = accuracy_curve(IMAGENET)
    rows = [
        one for one in catalogue()
        if one.benchmark == IMAGENET and one.parameters and one.accuracy is not None
    ]  # fmt: skip
    for one in curve.frontier:
        assert all(r.accuracy < one.accuracy for r in rows if r.parameters < one.parameters)
    for row in rows:
        assert any(
            one.parameters <= row.parameters and one.accuracy >= row.accuracy
            for one in curve.frontier
        )


@pytest.mark.parametrize("name", benchmarks())
def test_returns_diminish(name):
    curve = accuracy_curve(name)
    sizes = [float(one.parameters) for one in curve.frontier]
    gains = [curve.gain_per_doubling(size) for size in sizes]
    assert (np.diff(gains) < 0).all()
    assert gains[-1] > 0
    assert curve.top <= 100
    with pytest.raises(ValueError, match="lie outside of the"):
        curve.at(2.0 * sizes[-1])


def test_the_law_comes_near_the_published_models():
    curve = accuracy_curve(IMAGENET)
    # What it misses a model of the frontier by that it has not seen, in percentage points.
    assert curve.spread < 2.0
    assert curve.models == 128


def test_no_such_benchmark():
    with pytest.raises(NoCurve, match='did you mean "ImageNet-1K acc@1"'):
        accuracy_curve("ImageNet-1K acc@5")
    with pytest.raises(NoCurve, match="no curve of"):
        accuracy_curve("Sintel-Train-Cleanpass epe")


def test_the_command(tmp_path):
    ran = CliRunner().invoke(
        cli, ["accuracy", "--format", "json", "--out", str(tmp_path / "figures")]
    )
    assert ran.exit_code == 0, ran.output
    report = json.loads(ran.stdout)
    assert report["schema"] == "accuracy/1"
    most = report["frontier"][-1]["parameters"]
    for row in report["frontier"]:
        assert row["gain_extrapolated"] == (2 * row["parameters"] > most)
    assert report["frontier"][-1]["gain_extrapolated"]
    assert not report["frontier"][0]["gain_extrapolated"]
    assert report["frontier"][0]["parameters"] < report["frontier"][-1]["parameters"]
    assert (tmp_path / "figures" / "accuracy.png").stat().st_size > 10_000
    with pytest.raises(SystemExit) as ended:
        main(["accuracy", "nothing"])
    assert ended.value.code == 2
