"""The figure of scores shows the scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skeeg.plotting import plot_scores

SCORES = pd.DataFrame({"csp-lda": [0.7, 0.8, 0.75], "eegnet": [0.6, np.nan, 0.9]})


def test_every_score_is_a_dot_and_the_mean_a_marker():
    axes = plot_scores(SCORES, chance=0.5).axes[0]
    for collection, expected in zip(
        axes.collections[:2], ([0.7, 0.75, 0.8], [0.6, 0.9]), strict=True
    ):
        np.testing.assert_array_equal(np.sort(collection.get_offsets().data[:, 0]), expected)
    means = np.asarray(axes.containers[0].lines[0].get_xdata(), dtype=float)
    np.testing.assert_allclose(means, [0.75, 0.75])


def test_labels_name_metric_estimators_unit_and_chance():
    figure = plot_scores(
        SCORES, "balanced_accuracy", unit="subject", chance=0.5, chance_upper=0.61, title="here"
    )
    axes = figure.axes[0]
    assert axes.get_xlabel() == "Balanced accuracy (mean recall)"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["csp-lda", "eegnet"]
    assert axes.get_title() == "here"
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "one subject" in legend
    assert "chance 0.5" in legend
    assert any("0.61" in text for text in legend)


def test_chance_and_all_scores_lie_within_the_axes():
    for metric, chance in (("accuracy", 0.5), ("kappa", 0.0)):
        scores = pd.DataFrame({"a": [-0.3 if metric == "kappa" else 0.1, 1.0]})
        low, high = plot_scores(scores, metric, chance=chance).axes[0].get_xlim()
        assert low < min(chance, scores["a"].min())
        assert high > 1.0


def test_one_score_has_no_spread():
    plot_scores(pd.DataFrame({"a": [0.5]})).draw_without_rendering()


def test_nothing_to_plot_is_an_error():
    with pytest.raises(ValueError, match="no roc_auc to plot"):
        plot_scores(SCORES * np.nan, "roc_auc")


@pytest.mark.parametrize(
    ("metric", "values", "chance"),
    [
        ("r2", [-3.0, 0.4], -0.1),
        ("mean_absolute_error", [12.0, 30.0], 25.0),
        ("pearson", [-0.2, 0.9], 0.0),
        ("neg_log_loss", [-0.7, -0.3], None),
        ("of mine", [120.0, 120.0], None),
    ],
)
def test_scores_without_bounds_lie_within_the_axes(metric, values, chance):
    axes = plot_scores(pd.DataFrame({"a": values}), metric, chance=chance).axes[0]
    low, high = axes.get_xlim()
    seen = values if chance is None else [*values, chance]
    assert low < min(seen) <= max(seen) < high
    if metric == "mean_absolute_error":
        assert low > -1


def test_infinite_scores_are_not_drawn():
    scores = pd.DataFrame({"a": [np.inf, 1.0], "b": [2.0, -np.inf]})
    figure = plot_scores(scores, "of mine")
    figure.draw_without_rendering()
    assert np.isfinite(figure.axes[0].get_xlim()).all()
    with pytest.raises(ValueError, match="no of mine to plot"):
        plot_scores(scores[:1][["a"]], "of mine")


def test_an_estimator_without_any_score_has_an_empty_row():
    axes = plot_scores(pd.DataFrame({"a": [0.5, 0.6], "none": [np.nan, np.nan]})).axes[0]
    assert [len(dots.get_offsets()) for dots in axes.collections[:2]] == [2, 0]
