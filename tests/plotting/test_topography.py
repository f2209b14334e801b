"""Topographic maps show the features."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skeeg.features import electrode_cells, topographic_map
from skeeg.plotting import plot_topographic_map

CH_NAMES = ["Fp1", "Fp2", "F3", "F4", "Cz", "O1", "O2"]
BANDS = ["theta", "alpha", "beta"]


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(2, 1, (3, 7))


def test_every_band_is_a_map_of_its_features(features):
    figure = plot_topographic_map(features, CH_NAMES, bands=BANDS, unit="nats", title="subject 1")
    maps, colour_bar = figure.axes[:3], figure.axes[3]
    for axes, values, band in zip(maps, features, BANDS, strict=True):
        shown = axes.images[0].get_array()
        cells = electrode_cells(CH_NAMES)
        assert_array_equal(shown[cells[:, 0], cells[:, 1]], values)
        assert shown.count() == len(CH_NAMES)  # the others are masked
        assert axes.get_title() == band
    assert colour_bar.get_ylabel() == "nats"
    assert figure.get_suptitle() == "subject 1"


def test_electrodes_are_named_where_they_are(features):
    axes = plot_topographic_map(features, CH_NAMES, layout="grid").axes[0]
    named = {text.get_text(): text.get_position() for text in axes.texts}
    cells = electrode_cells(CH_NAMES, "grid")
    assert named == {
        name: (column, row) for name, (row, column) in zip(CH_NAMES, cells, strict=True)
    }


def test_all_maps_share_one_scale(features):
    figure = plot_topographic_map(features, CH_NAMES)
    limits = {axes.images[0].get_clim() for axes in figure.axes[:3]}
    assert limits == {(features.min(), features.max())}
    symmetric = plot_topographic_map(features - 2, CH_NAMES, symmetric=True)
    low, high = symmetric.axes[0].images[0].get_clim()
    assert -low == high == np.abs(features - 2).max()


def test_a_surface_fills_only_the_head(features):
    figure = plot_topographic_map(features, CH_NAMES, layout="interpolated", shape=(20, 20))
    shown = figure.axes[1].images[0].get_array()
    expected = topographic_map(features[1], CH_NAMES, "interpolated", (20, 20))
    assert_allclose(shown.filled(0), expected)
    assert shown.mask[0, 0]
    assert not shown.mask[10, 10]
    assert len(figure.axes[1].texts) == len(CH_NAMES)


@pytest.mark.parametrize("n_bands", [1, 5, 7])
def test_any_number_of_bands_and_flat_features_are_drawn(n_bands):
    figure = plot_topographic_map(np.ones(7 * n_bands), CH_NAMES)
    figure.draw_without_rendering()
    titles = [axes.get_title() for axes in figure.axes if axes.images and axes.get_visible()]
    assert titles == [f"band {i + 1}" for i in range(n_bands)]


def test_wrong_features_are_named(features):
    with pytest.raises(ValueError, match=r"shape \(n_bands, 7\), the features of one sample"):
        plot_topographic_map(features[:, :5], CH_NAMES)
    with pytest.raises(ValueError, match="For several samples, plot one of them or the mean"):
        plot_topographic_map(features[None], CH_NAMES)
    with pytest.raises(ValueError, match="bands must name each of the 3 bands, got 2"):
        plot_topographic_map(features, CH_NAMES, bands=BANDS[:2])
    features[1, 4] = np.nan
    with pytest.raises(ValueError, match="the feature of Cz in band 1 is nan"):
        plot_topographic_map(features, CH_NAMES)
    with pytest.raises(ValueError, match="must name the channels"):
        plot_topographic_map(features, [])
