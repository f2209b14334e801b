"""The figure of predictions shows every trial, on axes of one range."""

from __future__ import annotations

import numpy as np
import pytest

from skeeg.plotting import plot_predictions

TRUE, PREDICTED = [1.0, 2.0, 5.0], [1.5, 2.5, 3.0]


def test_every_trial_is_a_dot():
    axes = plot_predictions(TRUE, PREDICTED, title="ridge").axes[0]
    np.testing.assert_array_equal(
        axes.collections[0].get_offsets(), np.column_stack([TRUE, PREDICTED])
    )
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("True target", "Predicted target")
    assert axes.get_title() == "ridge"


def test_axes_have_one_range_that_holds_all_trials_and_the_diagonal():
    axes = plot_predictions(TRUE, PREDICTED).axes[0]
    low, high = axes.get_xlim()
    assert axes.get_ylim() == (low, high)
    assert low < 1 < 5 < high
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), axes.lines[0].get_ydata())


def test_one_trial_is_visible():
    low, high = plot_predictions([2.0], [2.0]).axes[0].get_xlim()
    assert low < 2 < high


@pytest.mark.parametrize(
    ("true", "predicted", "message"),
    [
        ([], [], "one trial or more"),
        ([1.0, np.nan], [1.0, 2.0], "all targets must be finite"),
        ([1.0], [1.0, 2.0], "inconsistent numbers of samples"),
        ([[1.0, 2.0]], [1.0], "1d array"),
    ],
)
def test_invalid_targets_raise(true, predicted, message):
    with pytest.raises(ValueError, match=message):
        plot_predictions(true, predicted)
