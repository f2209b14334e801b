"""The diagram shows each estimator at its rank, and bars over those that do not differ."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from skeeg.evaluation.statistics import friedman_nemenyi
from skeeg.plotting import plot_critical_difference

NAMES = ("best $5", "good {x}", "a name that is far too long for a single line", "worst")


@pytest.fixture
def result():
    noise = np.random.default_rng(0).normal(0, 0.01, (12, 4))
    return friedman_nemenyi(pd.DataFrame(noise + np.array([0.9, 0.9, 0.7, 0.5]), columns=NAMES))


def test_names_ranks_and_bars(result):
    figure = plot_critical_difference(result, title="Accuracy")
    (axes,) = figure.axes
    texts = " ".join(text.get_text() for text in axes.texts).replace("\n", " ")
    for name, rank in result.ranks.items():
        assert f"{name} ({rank:.2f})".replace("$", r"\$") in texts
    assert f"critical difference {result.critical_difference:.2f}" in texts
    places = sorted(float(points.get_offsets()[0][0]) for points in axes.collections)
    np.testing.assert_allclose(places, result.ranks)
    bars = {
        tuple(np.round(sorted({*line.get_xdata()}), 6))
        for line in axes.lines
        if line.get_linewidth() == 4
    }
    assert len(bars) == 3  # neighbours do not differ, at 12 subjects
    figure.canvas.draw()


def test_it_draws_into_given_axes_without_pyplot_or_warnings(result):
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    figure = Figure()
    axes = figure.subplots(1, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert plot_critical_difference(result, ax=axes[1]) is figure
        equal = friedman_nemenyi(pd.DataFrame(np.ones((6, 3))))
        plot_critical_difference(equal).canvas.draw()
    assert not axes[0].lines
    assert plt.get_fignums() == before
