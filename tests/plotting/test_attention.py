"""Figures of attention show the mean of the gates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PatchCollection
from numpy.testing import assert_allclose

from skeeg import EEGData, EEGNetClassifier
from skeeg._electrodes import flat_positions
from skeeg.inspection import attention_gates
from skeeg.plotting import plot_attention

CH_NAMES = ["Fp1", "C3", "Cz", "C4", "TP10"]
Y = np.array(["rest", "move", "rest", "move"] * 5)


def recorded(ch_names=CH_NAMES):
    X = np.random.default_rng(0).standard_normal((20, len(ch_names), 100)).astype(np.float32)
    return EEGData(X, Y, 100.0, tuple(ch_names), pd.DataFrame({"subject": [1] * 20}))


def fitted(data, axis="electrodes", **params):
    clf = EEGNetClassifier(
        attention="se", attention_axis=axis, max_epochs=1, random_state=0, **params
    )
    return clf.fit(data, Y)


def heads(figure):
    """The discs of each head: their places and values."""
    found = []
    for axes in figure.axes:
        for discs in axes.collections:
            if isinstance(discs, PatchCollection):
                corners = [path.get_extents() for path in discs.get_paths()]
                places = np.array([(box.min + box.max) / 2 for box in corners])
                found.append((axes, places, discs.get_array()))
    return found


@pytest.mark.parametrize("axis", ["electrodes", "map-electrode"])
def test_a_disc_lies_where_its_electrode_does_and_shows_its_mean(axis):
    data = recorded()
    clf = fitted(data, axis)
    figure = plot_attention(clf, data, title="one subject")
    ((axes, places, shown),) = heads(figure)
    gates = attention_gates(clf, data)
    expected = [gates[..., channel].mean() for channel in range(5)]
    assert_allclose(shown, expected, rtol=1e-6)
    assert_allclose(places, flat_positions(CH_NAMES), atol=1e-6)
    assert {text.get_text() for text in axes.texts} == set(CH_NAMES)
    assert axes.get_title() == "all trials (n = 20)"
    assert figure.get_suptitle() == "one subject"
    assert "gate" in figure.axes[-1].get_ylabel()
    figure.draw_without_rendering()


def test_each_class_has_a_head_and_all_share_their_colours():
    data = recorded()
    clf = fitted(data)
    (move, _, moving), (rest, _, resting) = heads(plot_attention(clf, data, Y))
    assert (move.get_title(), rest.get_title()) == ("move (n = 10)", "rest (n = 10)")
    gates = attention_gates(clf, data)
    assert_allclose(moving, gates[Y == "move"].mean(axis=0), rtol=1e-6)
    assert_allclose(resting, gates[Y == "rest"].mean(axis=0), rtol=1e-6)
    scales = {axes.collections[0].get_clim() for axes in (move, rest)}
    assert len(scales) == 1
    low, high = scales.pop()
    assert low <= min(moving.min(), resting.min()) < max(moving.max(), resting.max()) <= high


def test_maps_are_bars_with_their_deviation():
    data = recorded()
    clf = fitted(data, "maps")
    figure = plot_attention(clf, data, Y)
    gates = attention_gates(clf, data)
    for axes, label in zip(figure.axes, ["move", "rest"], strict=True):
        own = gates[label == Y]
        assert_allclose([bar.get_height() for bar in axes.patches], own.mean(axis=0))
        ends = np.array([line[:, 1] for line in axes.collections[0].get_segments()])
        assert_allclose(ends[:, 1] - ends[:, 0], 2 * own.std(axis=0))
        assert axes.get_ylim() == (0, 1)
        assert axes.get_title() == f"{label} (n = 10)"


@pytest.mark.parametrize(
    "ch_names",
    [["Cz"], ["C3", "C4"], ["TP9", "AF7", "AF8", "TP10"], ["Fz", "Cz", "Pz"], ["T9", "T10"]],
)
def test_any_montage_is_drawn(ch_names):
    """MNE's maps raise an error for a single electrode, and for those on a circle."""
    data = recorded(ch_names)
    figure = plot_attention(fitted(data), data)
    figure.draw_without_rendering()
    ((axes, places, _),) = heads(figure)
    assert len(places) == len(ch_names)
    assert (np.abs(places) + 0.05 < axes.get_xlim()[1]).all()  # none is cut off at the border


def test_names_may_come_later():
    data = recorded()
    clf = fitted(data.X)
    with pytest.raises(ValueError, match=r"fitted on a plain array\. Pass ch_names"):
        plot_attention(clf, data.X)
    with pytest.raises(ValueError, match=r"name the 5 channels .* got 2 names"):
        plot_attention(clf, data.X, ch_names=["C3", "C4"])
    with pytest.raises(ValueError, match=r"'EEG 1'.* 10-05 system"):
        plot_attention(clf, data.X, ch_names=["EEG 1", *CH_NAMES[1:]])
    ((_, places, _),) = heads(plot_attention(clf, data.X, ch_names=CH_NAMES[::-1]))
    assert_allclose(places, flat_positions(CH_NAMES[::-1]), atol=1e-6)


@pytest.mark.filterwarnings("ignore:The channel selection")  # after one epoch, it may be anything
def test_only_selected_channels_are_drawn():
    data = recorded()
    clf = fitted(data, n_selected_chans=2)
    ((_, places, shown),) = heads(plot_attention(clf, data))
    names = [CH_NAMES[channel] for channel in clf.selected_channels_]
    assert_allclose(places, flat_positions(names), atol=1e-6)
    assert len(shown) == 2


def test_equal_gates_do_not_fill_the_range_of_colours():
    data = recorded()
    clf = fitted(data)
    clf.module_.filters.attention.bottleneck[2].weight.data.zero_()
    figure = plot_attention(clf, data)
    ((_, _, shown),) = heads(figure)
    assert_allclose(shown, 0.5)
    low, high = figure.axes[0].collections[0].get_clim()
    assert high - low > 0.01


def test_labels_of_another_length_raise():
    data = recorded()
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        plot_attention(fitted(data), data, Y[:3])
