"""Maps of the head: the published grid, grids of any montage, and surfaces between electrodes."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from skeeg._electrodes import flat_positions, mirrored, template_montage
from skeeg.datasets.deap import CHANNELS
from skeeg.features import (
    BandPower,
    DifferentialEntropy,
    SampleZScore,
    TopographicMap,
    electrode_cells,
    topographic_map,
)
from skeeg.features.topography import electrode_places

# Yang et al. (2018), a row for each of the nine of the grid.
DEAP_ROWS = {
    0: {"Fp1": 3, "Fp2": 5},
    1: {"AF3": 3, "AF4": 5},
    2: {"F7": 0, "F3": 2, "Fz": 4, "F4": 6, "F8": 8},
    3: {"FC5": 1, "FC1": 3, "FC2": 5, "FC6": 7},
    4: {"T7": 0, "C3": 2, "Cz": 4, "C4": 6, "T8": 8},
    5: {"CP5": 1, "CP1": 3, "CP2": 5, "CP6": 7},
    6: {"P7": 0, "P3": 2, "Pz": 4, "P4": 6, "P8": 8},
    7: {"PO3": 3, "PO4": 5},
    8: {"O1": 3, "Oz": 4, "O2": 5},
}
MONTAGES = {
    "deap": list(CHANNELS),
    "10-20": [
        "Fp1", "Fp2", "F3", "F4", "F7", "F8", "T3", "T4", "C3", "C4", "T5", "T6", "P3", "P4", "O1",
        "O2", "Fz", "Cz", "Pz",
    ],
    "headband": ["TP9", "AF7", "AF8", "TP10"],
    "half steps": ["FFC1h", "FFC2h", "CCP3h", "CCP4h", "FCz", "POz"],
    "one side": ["F3", "C3", "P3", "Cz", "O2"],
}  # fmt: skip


@parametrize_with_checks([TopographicMap(["Cz"]), TopographicMap(["c3"], "grid", (3, 5))])
def test_it_passes_every_check_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture
def features():
    return np.random.default_rng(0).standard_normal((5, 128))


def test_the_grid_of_deap_is_the_published_one():
    cells = dict(zip(CHANNELS, electrode_cells(CHANNELS).tolist(), strict=True))
    expected = {name: [i, j] for i, row in DEAP_ROWS.items() for name, j in row.items()}
    assert cells == expected


def test_features_lie_in_their_cells_and_other_cells_are_exactly_zero(features):
    maps = TopographicMap(CHANNELS).fit_transform(features)
    assert maps.shape == (5, 4, 9, 9)
    by_band = features.reshape(5, 4, 32)
    for i, row in DEAP_ROWS.items():
        for name, j in row.items():
            assert_array_equal(maps[:, :, i, j], by_band[:, :, CHANNELS.index(name)])
    assert np.count_nonzero(maps[0, 0]) == 32
    assert_array_equal(maps.sum(axis=(2, 3)), maps.reshape(5, 4, 81).sum(axis=2))


def test_the_order_and_the_case_of_the_names_make_no_difference(features):
    values = features[:, :32]
    order = np.random.default_rng(1).permutation(32)
    shuffled = [CHANNELS[i].upper() for i in order]
    assert_array_equal(
        topographic_map(values[:, order], shuffled), topographic_map(values, CHANNELS)
    )


def test_some_of_the_channels_keep_their_cells():
    maps = topographic_map([[1.0, 2.0]], ["O2", "Fz"])
    assert (maps[0, 8, 5], maps[0, 2, 4]) == (1, 2)
    assert np.count_nonzero(maps) == 2


@pytest.mark.parametrize("ch_names", MONTAGES.values(), ids=MONTAGES.keys())
@pytest.mark.parametrize("shape", [(9, 9), (7, 11), (12, 9)])
def test_on_a_grid_every_electrode_has_a_cell_of_its_own(ch_names, shape):
    cells = electrode_cells(ch_names, "grid", shape)
    assert len({tuple(cell) for cell in cells}) == len(ch_names)
    assert (cells >= 0).all()
    assert (cells < shape).all()


def test_the_whole_template_fits_a_grid_with_room_for_it():
    names = [name for name in template_montage().ch_names if name not in ("T3", "T4", "T5", "T6")]
    cells = electrode_cells(names, "grid", (33, 33))
    assert len({tuple(cell) for cell in cells}) == len(names)


@pytest.mark.parametrize("ch_names", MONTAGES.values(), ids=MONTAGES.keys())
def test_a_grid_is_symmetric_and_the_midline_in_its_middle(ch_names):
    places = dict(
        zip(map(str.lower, ch_names), electrode_cells(ch_names, "grid").tolist(), strict=True)
    )
    for name, (row, column) in places.items():
        if name.endswith("z"):
            assert column == 4
        elif mirrored(name) in places:
            assert places[mirrored(name)] == [row, 8 - column]


def test_on_a_grid_front_is_up_and_left_is_left():
    names = MONTAGES["10-20"]
    cells = dict(zip(names, electrode_cells(names, "grid"), strict=True))
    assert [cells[name][0] for name in ("Fp1", "F3", "C3", "P3", "O1")] == [0, 2, 4, 6, 8]
    assert [cells[name][1] for name in ("T3", "C3", "Cz", "C4", "T4")] == [0, 2, 4, 6, 8]


def test_the_nearest_cell_is_found_where_it_is_free():
    """Two electrodes that both lie nearest to the corner of a coarse grid."""
    cells = electrode_cells(["F7", "FC5", "Cz", "O1"], "grid", (3, 3)).tolist()
    assert cells[2][1] == 1
    assert sorted(cells[i][0] for i in (0, 1, 3)) == [0, 1, 2]


@pytest.mark.parametrize("ch_names", [MONTAGES["deap"], MONTAGES["10-20"]], ids=["deap", "10-20"])
def test_a_surface_passes_through_the_values_and_keeps_planes(ch_names):
    """A thin-plate spline reproduces what is linear in the place."""
    x, y = flat_positions(ch_names).T
    plane = 1 + 2 * x - 3 * y
    shape = (41, 41)
    surface = topographic_map(plane, ch_names, "interpolated", shape)
    places = electrode_places(ch_names, "interpolated", shape)
    radius = 1.1 * np.hypot(x, y).max()
    columns, rows = np.meshgrid(np.arange(41), np.arange(41))
    right = radius * (2 * columns + 1 - 41) / 41
    front = -radius * (2 * rows + 1 - 41) / 41
    inside = np.hypot(right, front) <= radius
    assert_allclose(surface[inside], (1 + 2 * right - 3 * front)[inside], atol=1e-9)
    assert_array_equal(surface[~inside], 0)
    assert_allclose(radius * (2 * places[:, 1] + 1 - 41) / 41, x, atol=1e-12)
    assert_allclose(-radius * (2 * places[:, 0] + 1 - 41) / 41, y, atol=1e-12)


def test_a_surface_has_the_value_of_an_electrode_at_its_place():
    values = np.random.default_rng(0).standard_normal(32)
    fine = topographic_map(values, CHANNELS, "interpolated", (801, 801))
    rows, columns = electrode_places(CHANNELS, "interpolated", (801, 801)).round().astype(int).T
    assert_allclose(fine[rows, columns], values, atol=0.02)


def test_a_surface_is_linear_in_the_features(features):
    values = features[:2, :32]
    maps = topographic_map(values, CHANNELS, "interpolated")
    assert maps.shape == (2, 32, 32)
    both = topographic_map(2 * values[0] - values[1], CHANNELS, "interpolated")
    assert_allclose(both, 2 * maps[0] - maps[1], atol=1e-12)


@pytest.mark.parametrize("layout", ["deap-9x9", "grid", "interpolated"])
def test_it_takes_features_of_every_kind_and_any_number_of_bands(layout):
    X = np.random.default_rng(0).standard_normal((4, 32, 256))
    for first, n_bands in ((DifferentialEntropy(128, "deap"), 4), (BandPower(128), 5)):
        pipeline = make_pipeline(first, SampleZScore(), TopographicMap(CHANNELS, layout))
        maps = pipeline.fit_transform(X)
        assert maps.shape[:2] == (4, n_bands)
        assert pipeline[-1].n_bands_ == n_bands
        assert pipeline[-1].shape_ == maps.shape[2:]


def test_one_sample_one_channel_float32_and_read_only(features):
    fitted = TopographicMap(CHANNELS, "interpolated").fit(features)
    assert_array_equal(fitted.transform(features[:1]), fitted.transform(features)[:1])
    single = features.astype(np.float32)
    single.setflags(write=False)
    assert fitted.transform(single).dtype == np.float64
    assert_allclose(fitted.transform(single), fitted.transform(features), atol=1e-5)
    assert TopographicMap(["Cz"], "grid", (1, 1)).fit_transform([[3.0]]).tolist() == [[[[3.0]]]]


def test_it_clones_and_pickles(features):
    fitted = TopographicMap(CHANNELS, "grid", (11, 9)).fit(features)
    assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(features),
                       fitted.transform(features))  # fmt: skip
    assert_array_equal(clone(fitted).fit_transform(features), fitted.transform(features))


def test_maps_given_out_are_not_shared(features):
    first = topographic_map(features[0, :32], CHANNELS)
    first[:] = 99
    assert topographic_map(features[0, :32], CHANNELS).max() < 99


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layout": "9x9"}, "layout must be one of 'deap-9x9', 'grid', 'interpolated'; got '9x9'"),
        ({"shape": (8, 8)}, r"'deap-9x9' has shape \(9, 9\), got \(8, 8\)"),
        ({"layout": "grid", "shape": (9, 8)}, r"must have an odd width.* got shape \(9, 8\)"),
        ({"layout": "grid", "shape": 9}, r"shape must be a height and a width, .* got 9"),
        ({"layout": "grid", "shape": (9.5, 9)}, "shape must be a height and a width"),
        ({"layout": "grid", "shape": (0, 9)}, "shape must be a height and a width"),
        ({"layout": "grid", "shape": (9, True)}, "shape must be a height and a width"),
        ({"layout": "grid", "shape": (10**9, 10**9 + 1)}, "integers from 1 to 1024 such as"),
        ({"layout": "interpolated", "shape": (1025, 1025)}, "integers from 1 to 1024 such as"),
        ({"layout": "grid", "shape": (2, 9)}, "has 2 cells for the 3 electrodes on the midline"),
        ({"layout": "grid", "shape": (3, 3)}, "has 3 cells for the 4 electrodes on a side"),
        ({"ch_names": None}, "must name the channels"),
        ({"ch_names": ["Cz", "EEG 2"], "layout": "grid"}, "'EEG 2', which the 10-05 system does"),
        ({"ch_names": ["Cz", "FCz"]}, "has no place for FCz: it is for the 32 channels"),
        ({"ch_names": ["T3", "T7"], "layout": "grid"}, "T3 and T7 are two names of one electrode"),
        ({"ch_names": ["Cz", "cz"]}, "Cz and cz are two names of one electrode"),
        ({"ch_names": ["Fz", "Cz"], "layout": "interpolated"}, "three electrodes or more that are"),
        ({"ch_names": ["Fz", "Cz", "Pz"], "layout": "interpolated"}, "not on one line"),
        (
            {"ch_names": ["T3", "T7", "Cz", "Pz"], "layout": "interpolated"},
            "T3 and T7 are two names of one electrode",
        ),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    names = ["Fz", "Cz", "Pz", "F3", "C3", "P3", "T7", "C4"]
    arguments = {"ch_names": names, **arguments}
    n_chans = len(arguments["ch_names"] or names)
    with pytest.raises(ValueError, match=message):
        TopographicMap(**arguments).fit(np.zeros((2, n_chans)))


def test_wrong_features_are_named(features):
    with pytest.raises(ValueError, match="X has 128 features, which is not a multiple of the 31"):
        TopographicMap(CHANNELS[1:]).fit(features)
    with pytest.raises(ValueError, match="one entry for each of the 32 ch_names"):
        topographic_map(features, CHANNELS)
    with pytest.raises(ValueError, match=r"TopographicMap takes features .*, got trials"):
        TopographicMap(CHANNELS).fit(np.zeros((2, 32, 100)))
    with pytest.raises(ValueError, match="expecting 128 features"):
        TopographicMap(CHANNELS).fit(features).transform(features[:, :64])
    features[1, 3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        TopographicMap(CHANNELS).fit(features)
