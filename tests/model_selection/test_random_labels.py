"""Labels drawn at random are decoded by whoever shuffles segments, and by nobody else."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from skeeg import LeakageError
from skeeg.model_selection import ShuffledSegmentKFold, TrialKFold, check_leakage

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "images" / "random_labels.py"


@pytest.fixture(scope="module")
def experiment():
    """The script that makes the figure of the guide: its functions and its data."""
    names = runpy.run_path(str(SCRIPT), run_name="experiment")
    return names["accuracies"], names["random_segments"](0)


def test_shuffled_segments_say_that_nearly_everything_is_decoded(experiment):
    accuracies, data = experiment
    cv = ShuffledSegmentKFold(10, random_state=0, allow_leakage=True)
    assert accuracies(data, cv, n_draws=1)[0] > 0.95


@pytest.mark.timeout(240)
def test_whole_trials_say_that_nothing_is(experiment):
    accuracies, data = experiment
    means = accuracies(data, TrialKFold(5), n_draws=12)
    assert np.mean(means) == pytest.approx(0.5, abs=0.03)


def test_the_guard_tells_the_two_apart(experiment):
    _, data = experiment
    y = data.nested_groups("trial") % 2
    data = type(data).from_arrays(data.X, y, 1, metadata=data.metadata)
    with pytest.raises(LeakageError, match="'fold 1' has 40 trials on both sides"):
        check_leakage(ShuffledSegmentKFold(10, random_state=0), data)
    assert check_leakage(TrialKFold(10), data).shared["trials"].tolist() == [0] * 10
