"""The confusion matrix shows counts and shares of the true class."""

from __future__ import annotations

import numpy as np

from skeeg.plotting import plot_confusion

TRUE = ["rest"] * 4 + ["task"] * 2
PREDICTED = ["rest", "rest", "rest", "task", "rest", "task"]


def test_cells_hold_per_cent_of_the_row_and_counts():
    axes = plot_confusion(TRUE, PREDICTED, classes=["rest", "task"]).axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), [[75, 25], [50, 50]])
    cells = [text.get_text() for text in axes.texts]
    assert cells == ["75 %\n(3)", "25 %\n(1)", "50 %\n(1)", "50 %\n(1)"]


def test_axes_are_labelled_with_the_classes_in_order():
    figure = plot_confusion(TRUE, PREDICTED, classes=["task", "rest"], title="csp-lda")
    axes, bar = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Predicted class", "True class")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["task", "rest"]
    assert axes.get_title() == "csp-lda"
    assert bar.get_ylabel() == "Share of the true class (%)"


def test_a_class_that_was_never_tested_is_an_empty_row():
    axes = plot_confusion([1, 1], [1, 2], classes=[1, 2]).axes[0]
    np.testing.assert_allclose(axes.images[0].get_array(), [[50, 50], [0, 0]])
