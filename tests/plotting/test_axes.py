"""Every plot draws into given axes, refuses anything else, and is shown in notebooks."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

import skeeg.plotting as plotting
from skeeg import EEGNetClassifier, EEGNetRegressor
from skeeg.channel_selection import MutualInformationSelector
from skeeg.datasets import simulate_motor_imagery
from skeeg.evaluation.statistics import friedman_nemenyi
from skeeg.inspection import spatial_patterns, temporal_filters

NAMES = ("C3", "Cz", "C4", "Pz")
SCORES = pd.DataFrame({"a": [0.6, 0.7, 0.8], "b": [0.5, 0.6, 0.9], "c": [0.4, 0.5, 0.5]})
HISTORY = pd.DataFrame({"epoch": [1, 2], "train_loss": [1.0, 0.5], "train_acc": [0.5, 0.9]})


@pytest.fixture(scope="module")
def data():
    return simulate_motor_imagery(n_subjects=1, n_runs=1, n_trials=8, random_state=0)


@pytest.fixture(scope="module")
def network(data):
    clf = EEGNetClassifier(
        attention="se", attention_axis="electrodes", max_epochs=1, random_state=0
    )
    return clf.fit(data, data.y)


@pytest.fixture(scope="module")
def plots(data, network):
    """Return for each plot a function of ``ax``, and the number of axes that it needs."""
    importance = Bunch(
        importances_mean=np.array([0.1, 0.2, 0.0, 0.3]),
        importances_std=np.full(4, 0.01),
        ch_names=NAMES,
        score=0.8,
    )
    selector = MutualInformationSelector(2).fit(data, data.y)
    response = temporal_filters(network)
    calls = {
        "attention": (2, (network, data, data.y), {}),
        "augmentations": (2, (data, "sign_flip"), {}),
        "confusion": (1, ([0, 1], [0, 0]), {"classes": [0, 1]}),
        "critical_difference": (1, (friedman_nemenyi(SCORES),), {}),
        "frequency_response": (1, (response,), {}),
        "history": (2, (HISTORY,), {}),
        "importance": (2, (importance,), {}),
        "paired_scores": (1, (SCORES,), {}),
        "patterns": (4, (network, data), {"n_filters": 2}),
        "predictions": (1, ([1.0, 2.0], [1.5, 2.5]), {}),
        "saliency": (2, (np.ones((4, 6)),), {"ch_names": NAMES}),
        "scores": (1, (SCORES,), {}),
        "selection": (1, (selector,), {}),
        "topographic_map": (2, (np.arange(8.0).reshape(2, 4), NAMES), {}),
    }

    def bound(name, args, options):
        plot = getattr(plotting, f"plot_{name}")
        return lambda **extra: plot(*args, **options, **extra)

    return {name: (bound(name, *rest), n) for name, (n, *rest) in calls.items()}


KINDS = [name.removeprefix("plot_") for name in plotting.__all__]


@pytest.mark.parametrize("kind", KINDS)
def test_it_draws_into_the_given_axes(plots, kind):
    plot, n = plots[kind]
    figure = Figure(figsize=(14, 4))
    axes = figure.subplots(1, n + 1)
    assert plot(ax=axes[:n] if n > 1 else axes[0], title="of mine") is figure
    assert all(own.has_data() or own.patches or own.texts for own in axes[:n])
    assert not axes[n].has_data()
    assert "of mine" in axes[0].get_title()
    assert not figure.get_suptitle()
    figure.draw_without_rendering()


@pytest.mark.parametrize("kind", KINDS)
def test_other_things_than_axes_are_refused(plots, kind):
    plot, n = plots[kind]
    for wrong in (Figure(), "ax", 3, [Figure()] * n):
        with pytest.raises(TypeError, match="ax must be matplotlib Axes"):
            plot(ax=wrong)
    with pytest.raises(ValueError, match=f"ax must have {n} Axes"):
        plot(ax=Figure().subplots(1, n + 1))
    if n > 1:
        with pytest.raises(ValueError, match="same figure"):
            plot(ax=[Figure().subplots() for _ in range(n)])


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_figure_has_an_image_for_notebooks(plots, kind):
    figure = plots[kind][0]()
    assert isinstance(figure, Figure)
    # IPython asks an object for its formats by these names.
    image = figure._repr_png_()
    assert image.startswith(b"\x89PNG")
    assert int.from_bytes(image[16:20]) == int(figure.get_size_inches()[0] * figure.dpi)


def test_every_plot_takes_ax():
    for name in plotting.__all__:
        parameter = inspect.signature(getattr(plotting, name)).parameters["ax"]
        assert (parameter.kind, parameter.default) == (parameter.KEYWORD_ONLY, None)


def test_axes_of_a_subfigure_return_the_whole_figure():
    figure = Figure()
    part = figure.subfigures(1, 2)[0]
    assert plotting.plot_scores(SCORES, ax=part.subplots()) is figure


def test_nested_lists_of_axes_are_taken_in_order():
    figure = Figure()
    (left, right), _ = figure.subplots(2, 2)
    plotting.plot_history(HISTORY, ax=[[left], [right]])
    assert (left.get_ylabel(), right.get_ylabel()) == (
        *("Loss (nats)", "Accuracy (share of trials)"),
    )


def test_history_of_a_fitted_network_is_that_of_its_epochs(network, data):
    axes = plotting.plot_history(network).axes[0]
    np.testing.assert_allclose(
        axes.lines[-1].get_ydata(), [epoch["train_loss"] for epoch in network.history_]
    )
    piped = make_pipeline("passthrough", network)
    assert len(plotting.plot_history(piped).axes) == 2
    regressor = EEGNetRegressor(max_epochs=1, random_state=0).fit(data.X, np.arange(len(data)) / 3)
    assert plotting.plot_history(regressor).axes[0].get_ylabel() == "Loss"


def test_history_of_something_else_is_refused(data):
    with pytest.raises(NotFittedError):
        plotting.plot_history(EEGNetClassifier())
    with pytest.raises(TypeError, match="PCA does not train in epochs"):
        plotting.plot_history(PCA(1).fit(data.X[:, 0]))
    for wrong in (EEGNetClassifier, [1, 2], None):
        with pytest.raises(TypeError, match="history must be a fitted network or a table"):
            plotting.plot_history(wrong)


def test_patterns_of_a_fitted_network_are_those_of_spatial_patterns(network, data):
    drawn = plotting.plot_patterns(network, data, n_filters=2)
    computed = plotting.plot_patterns(spatial_patterns(network, data), n_filters=2)
    assert [axes.get_title() for axes in drawn.axes] == [axes.get_title() for axes in computed.axes]
    with pytest.raises(ValueError, match="pass them as X"):
        plotting.plot_patterns(network)
    with pytest.raises(TypeError):
        plotting.plot_patterns("patterns", data)


def test_patterns_are_a_table_in_notebooks(network, data):
    patterns = spatial_patterns(network, data)
    html = patterns._repr_html_()
    first = int(np.argmax(patterns.contributions))
    assert f"<td>{first}</td><td>{patterns.contributions[first]:.3f}</td>" in html
    assert patterns.ch_names[int(np.abs(patterns.patterns[first]).argmax())] in html


def test_paired_scores_join_the_scores_of_a_row():
    (axes,) = plotting.plot_paired_scores(SCORES, chance=0.5).axes
    for line, own in zip(axes.lines, SCORES.to_numpy(), strict=False):
        np.testing.assert_allclose(line.get_ydata(), own)
    np.testing.assert_allclose(axes.lines[len(SCORES)].get_ydata(), SCORES.mean())
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c"]
    with pytest.raises(ValueError, match="no score is finite"):
        plotting.plot_paired_scores(SCORES * np.nan)
