"""Figures show the values that inspection returns."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import PatchCollection
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils import Bunch

from skeeg.inspection import FrequencyResponse, SpatialPatterns
from skeeg.plotting import (
    plot_frequency_response,
    plot_importance,
    plot_patterns,
    plot_saliency,
)

NAMES = ("Fp1", "Fp2", "C3", "Cz", "C4", "O1", "O2")
FREQS = np.arange(0, 65, 0.5)


def patterns(n_filters=6, n_chans=7, contributions=None):
    rng = np.random.default_rng(0)
    return SpatialPatterns(
        patterns=1e-6 * rng.standard_normal((n_filters, n_chans)),
        ch_names=NAMES if n_chans == 7 else None,
        freqs=FREQS,
        response=np.exp(-0.5 * ((FREQS - 4 * np.arange(1, n_filters + 1)[:, None]) / 2) ** 2),
        spectra=rng.uniform(0, 1, (n_filters, len(FREQS))),
        shares=np.ones(n_filters),
        contributions=np.linspace(0, 0.5, n_filters) if contributions is None else contributions,
    )


def shown(figure):
    return [axes for axes in figure.axes if axes.get_visible()]


def titles(figure):
    return [axes.get_title() for axes in shown(figure) if axes.get_title()]


def labels(figure):
    return [label for axes in figure.axes for label in (axes.get_xlabel(), axes.get_ylabel())]


# ---------------------------------------------------------------------- patterns


def test_the_filters_that_contribute_most_come_first():
    figure = plot_patterns(patterns(), n_filters=2, title="EEGNet")
    figure.draw_without_rendering()
    assert titles(figure) == [
        "filter 5\ncontribution 0.50",
        "filter 4\ncontribution 0.40",
        "peak at 24.0 Hz",
        "peak at 20.0 Hz",
    ]
    assert figure.get_suptitle() == "EEGNet"
    (line,) = [
        line
        for axes in shown(figure)
        if axes.get_title() == "peak at 24.0 Hz"
        for line in axes.lines
        if line.get_label() == "response of the filter"
    ]
    assert_array_equal(line.get_ydata(), patterns().response[5])


def test_volts_are_drawn_as_microvolts_about_zero():
    found = patterns()
    for unit, factor, label in (("V", 1e6, "µV"), ("nV", 1.0, "nV")):
        figure = plot_patterns(found, n_filters=1, unit=unit)
        (bar,) = [axes for axes in figure.axes if axes.get_xlabel() == label]
        highest = np.abs(found.patterns[5]).max() * factor
        assert_allclose(bar.get_xlim(), (-highest, highest))


@pytest.mark.parametrize("n_filters", [1, 4, 5, 9])
def test_any_number_of_filters_is_drawn(n_filters):
    figure = plot_patterns(patterns(), n_filters=n_filters, fmax=30)
    figure.draw_without_rendering()
    assert sum("filter" in title for title in titles(figure)) == min(n_filters, 6)


def test_electrodes_without_a_surface_and_filters_without_a_peak_are_drawn():
    ring = patterns(n_chans=4, contributions=np.full(6, np.nan))
    ring.response[0] = 0
    ring.patterns[0] = 0
    # On one circle, as those of a Muse.
    figure = plot_patterns(ring, ch_names=["AF7", "AF8", "TP9", "TP10"], n_filters=1)
    figure.draw_without_rendering()
    assert titles(figure) == ["filter 0"]
    assert any(isinstance(drawn, PatchCollection) for drawn in figure.axes[0].collections)
    single = plot_patterns(patterns(n_chans=1), ch_names=["Cz"], n_filters=1)
    single.draw_without_rendering()


def test_patterns_need_electrodes():
    with pytest.raises(ValueError, match=r"The electrodes have no names.*Pass ch_names"):
        plot_patterns(patterns(n_chans=3))
    with pytest.raises(ValueError, match="ch_names must name the 7 channels; got 2 names"):
        plot_patterns(patterns(), ch_names=["Cz", "Pz"])
    with pytest.raises(ValueError, match="'EEG 1', which the 10-05 system does not contain"):
        plot_patterns(patterns(), ch_names=["EEG 1", *NAMES[1:]])
    with pytest.raises(ValueError, match="n_filters must be an integer of at least 1; got 0"):
        plot_patterns(patterns(), n_filters=0)


# ---------------------------------------------------------------------- temporal filters


def test_filters_are_sorted_by_their_peak_within_their_bank():
    peaks = np.array([40, 10, 20, 30, 0])
    response = 3 * np.exp(-0.5 * ((FREQS - peaks[:, None]) / 2) ** 2)
    response[4] = 0
    lengths = np.array([64, 64, 64, 16, 16])
    found = FrequencyResponse(FREQS, response, lengths)
    figure = plot_frequency_response(found, fmax=50, title="MSFBCNN")
    figure.draw_without_rendering()
    first, second, bar = figure.axes
    assert_allclose(first.images[0].get_array(), response[[1, 2, 0]] / 3)
    assert [label.get_text() for label in first.get_yticklabels()] == ["1", "2", "0"]
    assert [first.get_ylabel(), second.get_ylabel()] == [
        "Filter of 64 samples",
        "Filter of 16 samples",
    ]
    assert_allclose(second.images[0].get_array()[1], 0)
    assert_array_equal(first.lines[0].get_xdata(), [10, 20, 40])
    assert first.get_xlim() == (0, 50)
    assert bar.get_ylabel() == "Gain relative to the peak"
    assert figure.get_suptitle() == "MSFBCNN"


# ---------------------------------------------------------------------- importance


def importance(means, ch_names=NAMES):
    values = np.asarray(means, dtype=float)[:, None] + [[-0.02, 0.02]]
    return Bunch(
        importances=values,
        importances_mean=values.mean(axis=1),
        importances_std=values.std(axis=1),
        score=0.9,
        ch_names=ch_names,
    )


def test_every_electrode_has_its_importance_and_the_most_important_ones_a_bar():
    means = [0.0, 0.05, 0.3, 0.1, -0.02, 0.01, 0.2]
    figure = plot_importance(importance(means), metric="balanced accuracy", title="CSP")
    figure.draw_without_rendering()
    head, bars = figure.axes[:2]
    (discs,) = [d for d in head.collections if isinstance(d, PatchCollection)]
    assert_allclose(discs.get_array(), means, atol=1e-12)
    assert discs.get_clim() == pytest.approx((-0.3, 0.3))
    assert {text.get_text() for text in head.texts} == set(NAMES)
    assert [label.get_text() for label in bars.get_yticklabels()][:3] == ["C3", "O2", "Cz"]
    assert_allclose([patch.get_width() for patch in bars.patches][:3], [0.3, 0.2, 0.1])
    assert "Loss of balanced accuracy without the channel" in labels(figure)
    assert "(of 0.9)" in bars.get_xlabel()


def test_channels_of_zero_importance_are_drawn():
    figure = plot_importance(importance(np.zeros(3), None), ch_names=["C3", "Cz", "C4"])
    figure.draw_without_rendering()
    with pytest.raises(ValueError, match="The electrodes have no names"):
        plot_importance(importance(np.zeros(3), None))


# ---------------------------------------------------------------------- saliency


def test_the_mean_over_trials_and_the_sum_over_time_are_drawn():
    saliency = np.random.default_rng(0).standard_normal((5, 7, 40))
    figure = plot_saliency(saliency, ch_names=NAMES, sfreq=100, tmin=0.5, title="true class")
    figure.draw_without_rendering()
    courses, head = figure.axes[:2]
    assert_allclose(courses.images[0].get_array(), saliency.mean(axis=0))
    assert courses.images[0].get_extent()[:2] == pytest.approx([0.5, 0.9])
    assert [label.get_text() for label in courses.get_yticklabels()] == list(NAMES)
    (discs,) = [d for d in head.collections if isinstance(d, PatchCollection)]
    assert_allclose(discs.get_array(), saliency.mean(axis=0).sum(axis=1))
    assert "Contribution of a sample (log-odds)" in labels(figure)
    assert "Time (s)" in labels(figure)


def test_channels_without_a_place_are_drawn_over_time_only():
    figure = plot_saliency(np.ones((2, 30)), ch_names=["EEG 1", "EEG 2"], unit="logit")
    figure.draw_without_rendering()
    assert len(figure.axes) == 2  # and the colour bar
    assert "Time (samples)" in labels(figure)
    plot_saliency(np.zeros((3, 50, 30))).draw_without_rendering()


def test_wrong_saliencies_are_named():
    with pytest.raises(ValueError, match=r"or \(n_chans, n_times\), got \(2, 3, 4, 5\)"):
        plot_saliency(np.ones((2, 3, 4, 5)))
    with pytest.raises(ValueError, match=r"got \(0, 3, 4\)"):
        plot_saliency(np.ones((0, 3, 4)))
    with pytest.raises(ValueError, match="NaN or infinity"):
        plot_saliency([[1, np.nan]])
    with pytest.raises(ValueError, match="must name the 2 channels; got 7"):
        plot_saliency(np.ones((2, 3)), ch_names=NAMES)
