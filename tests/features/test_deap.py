"""The published recipe, number by number against scipy, and the table it returns."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import butter, lfilter
from scipy.stats import zscore
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skeeg import EEGData, LeakageError, compare
from skeeg.datasets import load_deap
from skeeg.datasets.deap import CHANNELS
from skeeg.features import FeatureTable, TopographicMap, deap_entropy
from skeeg.model_selection import TrialKFold, check_leakage

from ..datasets.support import write_deap_like

SFREQ = 128
BANDS = [(4, 8), (8, 14), (14, 31), (31, 45)]
CH_NAMES = list(CHANNELS)


def recordings(n_trials=3, n_chans=32, seconds=6, rest=3, seed=0, **columns):
    """Trials and the rest before them, as `load_deap` returns them."""
    rng = np.random.default_rng(seed)
    X = 10 * rng.standard_normal((n_trials, n_chans, (rest + seconds) * SFREQ)).astype(np.float32)
    columns = {"subject": 1, "trial": np.arange(n_trials)} | columns
    return tuple(
        EEGData.from_arrays(part, np.arange(n_trials) % 2, SFREQ, CH_NAMES[:n_chans], **columns)
        for part in (X[..., rest * SFREQ :], X[..., : rest * SFREQ])
    )


def by_hand(trial, rest=None):
    """The recipe for one trial, one channel and band at a time."""

    def entropies(signal):
        vectors = []
        for edges in BANDS:
            b, a = butter(3, [2 * edge / SFREQ for edge in edges], btype="band")
            for channel in signal.astype(np.float64):
                filtered = lfilter(b, a, channel)
                seconds = [
                    0.5 * np.log(2 * np.pi * np.e * np.var(filtered[i : i + SFREQ], ddof=1))
                    for i in range(0, len(filtered), SFREQ)
                ]
                vectors.append(seconds)
        return np.array(vectors).T

    features = entropies(trial)
    return features if rest is None else features - entropies(rest).mean(axis=0)


def test_every_number_is_that_of_scipy():
    data, rest = recordings()
    table = deap_entropy(data, rest)
    expected = np.concatenate(
        [zscore(by_hand(x, r), axis=1) for x, r in zip(data.X, rest.X, strict=True)]
    )
    assert table.shape == (18, 128)
    assert_allclose(table.X, expected, atol=1e-8)
    assert table.X.dtype == np.float64


def test_it_takes_what_the_loader_returns(tmp_path):
    write_deap_like(tmp_path, subjects=(1, 2))
    data, rest = (load_deap(tmp_path, part=part) for part in ("trial", "baseline"))
    table = deap_entropy(data, rest)
    assert table.shape == (2 * 40 * 60, 128)
    assert_allclose(table.X[60:120], zscore(by_hand(data.X[1], rest.X[1]), axis=1), atol=1e-8)
    assert len(np.unique(table.nested_groups("trial"))) == 80
    assert {"subject", "video", "valence", "window"} <= set(table.metadata)


def test_without_baseline_and_z_score_the_entropies_are_as_they_are():
    data, rest = recordings(n_trials=2, n_chans=3)
    plain = deap_entropy(data, zscore=False)
    assert_allclose(plain.X, np.concatenate([by_hand(x) for x in data.X]), atol=1e-8)
    corrected = deap_entropy(data, rest, zscore=False)
    expected = np.concatenate([by_hand(x, r) for x, r in zip(data.X, rest.X, strict=True)])
    assert_allclose(corrected.X, expected, atol=1e-8)


def test_the_transient_of_the_filter_is_in_the_first_window_only_once():
    """Trials are filtered whole: later windows do not begin from rest."""
    seconds = np.arange(10 * SFREQ) / SFREQ
    X = np.sin(2 * np.pi * 10 * seconds)[None, None]
    table = deap_entropy(EEGData.from_arrays(X, [0], SFREQ, ["Cz"]), zscore=False)
    alpha = table.X[:, 1]
    assert alpha[0] < alpha[5] - 0.05
    assert_allclose(alpha[4:], alpha[5], atol=1e-3)


def test_each_window_has_mean_0_and_deviation_1_over_all_its_features():
    table = deap_entropy(*recordings())
    assert_allclose(table.X.mean(axis=1), 0, atol=1e-12)
    assert_allclose(table.X.std(axis=1), 1, rtol=1e-12)


def test_columns_are_laid_out_band_by_band():
    """A strong 10-Hz rhythm at one electrode."""
    data, _ = recordings()
    X = data.X.copy()
    X[:, 4] += 100 * np.sin(2 * np.pi * 10 * np.arange(X.shape[2]) / SFREQ)
    table = deap_entropy(EEGData.from_arrays(X, data.y, SFREQ, CH_NAMES))
    assert table.feature_names[table.X[3].argmax()] == "FC5_alpha"
    assert table.X[3].argmax() == 32 + 4


def test_windows_keep_label_trial_and_other_metadata():
    data, rest = recordings(n_trials=4, n_chans=2, trial=[3, 5, 7, 9], video=[30, 50, 70, 90])
    table = deap_entropy(data, rest)
    assert_array_equal(table.y, np.repeat(data.y, 6))
    assert_array_equal(table.metadata["trial"], np.repeat([3, 5, 7, 9], 6))
    assert_array_equal(table.metadata["video"], np.repeat([30, 50, 70, 90], 6))
    assert table.metadata["window"].tolist()[:7] == [0, 1, 2, 3, 4, 5, 0]


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_the_unit_makes_no_difference(unit):
    data, rest = recordings(n_trials=2, n_chans=4)
    other = [
        EEGData.from_arrays(unit * part.X, part.y, SFREQ, part.ch_names) for part in (data, rest)
    ]
    assert_allclose(deap_entropy(*other).X, deap_entropy(data, rest).X, atol=1e-5)


def test_a_flat_channel_stays_finite():
    data, rest = recordings(n_trials=2, n_chans=4)
    data.X[0, 1] = 0
    rest.X[0, 1] = 0
    assert np.isfinite(deap_entropy(data, rest).X).all()
    corrected = deap_entropy(data, rest, zscore=False)
    assert_array_equal(corrected.X[:6].reshape(6, 4, 4)[:, :, 1], 0)  # flat less flat
    flat = EEGData.from_arrays(np.zeros((2, 3, 256)), [0, 1], SFREQ)
    assert_array_equal(deap_entropy(flat).X, 0)


def test_subjects_computed_one_at_a_time_are_the_same():
    both = [recordings(seed=i, n_chans=3, subject=i) for i in (1, 2)]
    together = deap_entropy(*(EEGData.concatenate(parts) for parts in zip(*both, strict=True)))
    one_at_a_time = FeatureTable.concatenate([deap_entropy(*parts) for parts in both])
    assert_allclose(one_at_a_time.X, together.X, atol=1e-9)
    assert one_at_a_time.metadata.equals(together.metadata)
    assert len(np.unique(together.nested_groups("trial"))) == 6


def test_other_windows_and_bands():
    data, rest = recordings(n_trials=2, n_chans=3)
    table = deap_entropy(data, rest, window=0.5, bands={"alpha": (8, 13)})
    assert table.shape == (24, 3)
    assert table.duration == 0.5
    assert table.bands == ("alpha",)


def _swapped(data, **changes):
    arguments = {
        "X": data.X, "y": data.y, "sfreq": data.sfreq, "ch_names": data.ch_names,
        "metadata": data.metadata,
    }  # fmt: skip
    return EEGData.from_arrays(**arguments | changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rest: rest[:2], "number of trials is 2, and that of data is 3"),
        (lambda rest: _swapped(rest, sfreq=256), "sfreq is 256.0, and that of data is 128.0"),
        (lambda rest: _swapped(rest, ch_names=CH_NAMES[::-1]), "ch_names"),
        (lambda rest: rest[[0, 2, 1]], "row 1 is trial 2 in baseline, and 1 in data"),
        (lambda rest: _swapped(rest, X=rest.X[..., :100]), "baselines last 0.78125 s, shorter"),
    ],
)
def test_a_baseline_of_other_trials_is_refused(change, message):
    data, rest = recordings()
    with pytest.raises(ValueError, match=message):
        deap_entropy(data, change(rest))


def test_values_that_are_not_finite_are_located():
    data, rest = recordings(n_chans=3)
    data.X[1, 2, 500] = np.nan
    with pytest.raises(ValueError, match=r"NaN: first in trial 1, channel 2 \(F3\), sample 500"):
        deap_entropy(data, rest)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"window": 7.0}, ValueError, "The trials last 6 s, shorter than a window of 7 s"),
        ({"window": 0}, ValueError, "window must be a positive number"),
        ({"bands": [(40, 70)]}, ValueError, "Nyquist"),
        ({"baseline": np.zeros((3, 3, 384))}, TypeError, "baseline must be EEGData, got ndarray"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message):
    data, _ = recordings(n_chans=3)
    with pytest.raises(error, match=message):
        deap_entropy(data, **arguments)


def test_arrays_and_no_trials_are_refused():
    data, _ = recordings(n_chans=3)
    with pytest.raises(TypeError, match="data must be EEGData, got ndarray"):
        deap_entropy(data.X)
    with pytest.raises(ValueError, match="data has no trials"):
        deap_entropy(data[:0])


# ---------------------------------------------------------------- the table


@pytest.fixture
def table():
    return deap_entropy(*recordings(n_trials=8, n_chans=4, seconds=5))


def test_it_is_cut_like_an_array(table):
    part = table[table.y == 1]
    assert isinstance(part, FeatureTable)
    assert_array_equal(part.X, table.X[table.y == 1])
    assert_array_equal(part.metadata["trial"], table.metadata["trial"][table.y == 1])
    assert table[3].shape == (1, 16)
    assert_array_equal(np.asarray(table), table.X)
    assert len(list(table)) == len(table) == 40
    with pytest.raises(IndexError, match="FeatureTable is indexed by trial only"):
        table[:, 0]


def test_scikit_learn_takes_it_as_it_takes_an_array(table):
    groups = table.groups("trial")
    scores = [
        cross_val_score(make_pipeline(StandardScaler(), SVC()), X, table.y, groups=groups, cv=cv)
        for cv in [GroupKFold(4)]
        for X in (table, table.X)
    ]
    assert_array_equal(*scores)


def test_compare_takes_it_and_refuses_to_divide_trials(table):
    maps = make_pipeline(TopographicMap(table.ch_names), StandardFlat(), SVC())
    comparison = compare({"svm": SVC(), "maps": maps}, table, cv=TrialKFold(4), random_state=0,
                         progress=False)  # fmt: skip
    assert len(comparison.scores) == 8
    assert comparison.about.data["n_features"] == 16
    assert comparison.about.data["n_whole_trials"] == 8
    with pytest.raises(LeakageError, match="trial"):
        compare({"svm": SVC()}, table, cv=3, random_state=0, progress=False)
    with pytest.raises(LeakageError, match="trial"):
        check_leakage([(np.arange(0, 40, 2), np.arange(1, 40, 2))], table)
    with pytest.raises(TypeError, match="'csp-lda' takes trials, and data are features"):
        compare("csp-lda", table, random_state=0, progress=False)


class StandardFlat(StandardScaler):
    """Scales maps, which SVC takes as rows only."""

    def fit(self, X, y=None):
        return super().fit(X.reshape(len(X), -1))

    def transform(self, X):
        return super().transform(X.reshape(len(X), -1))


def test_finished_folds_of_a_table_are_found_again(table, tmp_path):
    runs = [
        compare({"svm": SVC()}, part, cv=TrialKFold(4), random_state=0, progress=False,
                store=tmp_path).scores["accuracy"].tolist()
        for part in (table, table)
    ]  # fmt: skip
    assert runs[0] == runs[1]
    assert len(list(tmp_path.glob("*.json"))) == 4


def test_it_pickles(table):
    again = pickle.loads(pickle.dumps(table))
    assert_array_equal(again.X, table.X)
    assert again.metadata.equals(table.metadata)
    assert repr(again) == ("<FeatureTable: 40 windows of 1 s x 4 bands x 4 channels; 0: 20, 1: 20>")


def test_shapes_and_names_must_agree(table):
    fields = {
        "X": table.X, "y": table.y, "bands": table.bands, "ch_names": table.ch_names,
        "metadata": table.metadata, "window": 1.0,
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"X must have shape \(n_windows, 12\), of 3 bands times"):
        FeatureTable(**fields | {"bands": table.bands[1:]})
    with pytest.raises(ValueError, match="one label for each of the 40 windows"):
        FeatureTable(**fields | {"y": table.y[1:]})
    with pytest.raises(ValueError, match="a row for each of the 40 windows"):
        FeatureTable(**fields | {"metadata": table.metadata[1:]})
    bad = table.X.copy()
    bad[2, 5] = np.nan
    with pytest.raises(ValueError, match="feature AF3_alpha of window 2 is nan"):
        FeatureTable(**fields | {"X": bad})


def test_tables_of_other_features_are_not_joined(table):
    other = deap_entropy(*recordings(n_chans=4), window=0.5)
    with pytest.raises(ValueError, match=r"Part 1 has window 0.5, part 0 has 1.0"):
        FeatureTable.concatenate([table, other])
    with pytest.raises(ValueError, match="nothing to concatenate"):
        FeatureTable.concatenate([])


def test_maps_of_the_table_have_the_shape_that_networks_take(table):
    maps = clone(TopographicMap(table.ch_names)).fit_transform(table)
    assert maps.shape == (40, 4, 9, 9)
    assert_array_equal(maps[:, 1, 0, 3], table.X[:, 4])  # Fp1, alpha
