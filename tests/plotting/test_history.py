"""Learning curves: folds thin, their mean thick, and only what was recorded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skeeg.plotting import plot_history

TWO_FOLDS = pd.DataFrame(
    {
        "fold": ["a"] * 3 + ["b"] * 2,
        "epoch": [1, 2, 3, 1, 2],
        "train_loss": [1.0, 0.8, 0.6, 0.6, 0.4],
        "train_acc": [0.5, 0.6, 0.7, 0.7, 0.8],
        "valid_loss": np.nan,
    }
)


def test_the_mean_is_over_the_folds_that_got_so_far():
    axes = plot_history(TWO_FOLDS, title="eegnet").axes
    *folds, mean = axes[0].lines
    assert len(folds) == 2
    np.testing.assert_allclose(mean.get_ydata(), [0.8, 0.6, 0.6])
    assert mean.get_label() == "training, mean of 2 folds"


def test_epochs_that_few_folds_reached_have_no_mean():
    longer = TWO_FOLDS.replace({"fold": {"a": "c"}}).query("fold == 'c'")
    many = pd.concat([TWO_FOLDS.query("epoch < 3"), longer])
    assert plot_history(many).axes[0].lines[-1].get_xdata().tolist() == [1, 2]


def test_loss_and_accuracy_have_a_panel_each_with_labels():
    figure = plot_history(TWO_FOLDS, title="eegnet")
    assert [axes.get_ylabel() for axes in figure.axes] == [
        *("Loss (nats)", "Accuracy (share of trials)")
    ]
    assert all(axes.get_xlabel() == "Epoch" for axes in figure.axes)
    assert figure.get_suptitle() == "eegnet"


def test_the_error_of_a_regressor_has_a_panel_without_limits():
    history = pd.DataFrame({"epoch": [1, 2], "train_loss": [1.0, 0.5], "train_mae": [30.0, 20.0]})
    loss, error = plot_history(history, loss_label="Loss").axes
    assert (loss.get_ylabel(), error.get_ylabel()) == ("Loss", "Mean absolute error")
    assert error.lines[0].get_ydata().tolist() == [30, 20]
    assert error.get_ylim()[1] > 30


def test_only_what_was_recorded_is_drawn():
    history = pd.DataFrame({"epoch": [1, 2], "train_loss": [1.0, 0.5], "valid_loss": [1.1, 0.9]})
    (axes,) = plot_history(history).axes
    assert [line.get_label() for line in axes.lines] == ["training", "validation"]


def test_one_epoch_is_visible():
    assert plot_history(TWO_FOLDS.iloc[:1]).axes[0].lines[0].get_marker() == "o"


@pytest.mark.parametrize("history", [TWO_FOLDS.iloc[:0], TWO_FOLDS[["epoch", "valid_loss"]]])
def test_nothing_recorded_is_an_error(history):
    with pytest.raises(ValueError, match="no loss or accuracy"):
        plot_history(history)
