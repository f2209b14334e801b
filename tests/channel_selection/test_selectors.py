"""Selectors as transformers: what they keep, of which containers, and what they refuse."""

import pickle
import sys

import mne
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import skeeg
from skeeg import (
    CCNNClassifier,
    EEGData,
    ModuleClassifier,
    NetworkChannelSelector,
    all_estimators,
)
from skeeg.baselines import csp_lda
from skeeg.channel_selection import (
    MutualInformationSelector,
    RiemannianSelector,
    channel_information,
)
from skeeg.features import BandPower

from .support import LogVariance, powers

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
NAMES = ("Fz", "C3", "Cz", "Pz", "C4", "Oz")


def network(n_selected_chans=2, **params):
    """A selector that is quick enough to be fitted often."""
    options = {"lr": 1e-2, "max_epochs": 8, "random_state": 0}
    return NetworkChannelSelector(
        ModuleClassifier(module=LogVariance, **options | params), n_selected_chans
    )


def gumbel(n_selected_chans=2, **params):
    """The same with the layer."""
    options = {"selection__method": "gumbel", "selection__lr": 0.5}
    return network(n_selected_chans, **options | params)


EVERY = {
    "network": network,
    "gumbel": gumbel,
    "information": MutualInformationSelector,
    "riemannian": RiemannianSelector,
}
every_selector = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)


# tests/test_transformers.py has the checks of all selectors with their defaults.
@parametrize_with_checks(
    [MutualInformationSelector(1, sfreq=128, bands=[(8, 13)]), RiemannianSelector(1)]
)
def test_it_passes_every_check_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture
def data():
    X, y = powers(n_times=128)
    return EEGData.from_arrays(X, np.array(["feet", "fists"])[y], 128.0, NAMES)


# ---------------------------------------------------------------------- what they keep


@every_selector
def test_the_channels_that_tell_the_classes_are_kept(make, data):
    if make is network:
        selector = network(max_epochs=40, batch_size=8).fit(data, data.y)
    elif make is gumbel:
        selector = gumbel(max_epochs=25, selection__lr=None).fit(data, data.y)
    else:
        selector = make(2).fit(data, data.y)
    assert selector.get_support().tolist() == [False, True, False, False, True, False]
    assert selector.get_support(indices=True).tolist() == [1, 4]
    assert selector.get_feature_names_out().tolist() == ["C3", "C4"]
    assert selector.selected_ch_names_ == ("C3", "C4")


@every_selector
def test_containers_keep_their_kind_and_names(make, data):
    selector = make(3).fit(data, data.y)
    kept = selector.get_support(indices=True)
    assert len(kept) == 3
    cut = selector.transform(data)
    assert isinstance(cut, EEGData)
    assert cut.ch_names == tuple(NAMES[i] for i in kept)
    assert cut.sfreq == data.sfreq
    assert_array_equal(cut.X, data.X[:, kept])
    assert_array_equal(cut.y, data.y)
    pd.testing.assert_frame_equal(cut.metadata, data.metadata)
    array = selector.transform(data.X)
    assert type(array) is np.ndarray
    assert array.dtype == data.X.dtype
    assert_array_equal(array, data.X[:, kept])
    assert BandPower().fit(cut).get_feature_names_out()[0].startswith(cut.ch_names[0])


@every_selector
def test_epochs_are_trials_of_their_eeg_channels(make, data):
    info = mne.create_info([*NAMES, "EOG"], 128.0, ["eeg"] * 6 + ["eog"])
    values = np.concatenate([1e-6 * data.X, np.ones_like(data.X[:, :1])], axis=1)
    epochs = mne.EpochsArray(values, info, verbose="error")
    selector = make(2).fit(epochs, data.y)
    assert_array_equal(selector.get_support(), make(2).fit(data, data.y).get_support())
    kept = selector.get_support(indices=True)
    assert_allclose(selector.transform(epochs), 1e-6 * data.X[:, kept], rtol=1e-6)
    assert selector.get_feature_names_out().tolist() == [NAMES[i] for i in kept]


@every_selector
@pytest.mark.parametrize("kind", ["volts", "float32", "read-only", "not contiguous", "frame"])
def test_unit_and_memory_layout_make_no_difference(make, kind):
    X, y = powers()
    expected = make(2).fit(X, y).get_support()
    if kind == "volts":
        X = 1e-6 * X
    elif kind == "float32":
        X = X.astype(np.float32)
    elif kind == "read-only":
        X.flags.writeable = False
    elif kind == "not contiguous":
        X = np.repeat(X, 2, axis=2)[..., ::2]
    else:
        y = pd.Series(y)
    assert_array_equal(make(2).fit(X, y).get_support(), expected)


@every_selector
def test_names_are_those_the_user_gives_where_the_data_had_none(make):
    selector = make(2).fit(*powers())
    assert selector.selected_ch_names_ is None
    expected = [NAMES[i] for i in selector.get_support(indices=True)]
    assert selector.get_feature_names_out(NAMES).tolist() == expected
    with pytest.raises(ValueError, match="input_features"):
        selector.get_feature_names_out(["a", "b"])


@every_selector
def test_one_channel_may_come_without_its_axis(make):
    X, y = powers(n_chans=1, channels=(0, 0))
    selector = make(1).fit(X[:, 0], y % 2 + np.arange(48) % 2)
    assert selector.transform(X[:, 0]).shape == (48, 1, 64)
    assert selector.get_feature_names_out().tolist() == ["x0"]


@every_selector
def test_all_channels_may_be_kept(make):
    X, y = powers()
    assert_array_equal(make(6).fit_transform(X, y), X)


# ---------------------------------------------------------------------- in use


def test_selection_is_learnt_inside_the_folds_of_a_pipeline(data):
    for make in (MutualInformationSelector, RiemannianSelector, network):
        scores = cross_val_score(make_pipeline(make(2), csp_lda(2)), data, data.y, cv=3)
        assert scores.mean() > 0.8


def test_random_labels_are_not_learnt_through_the_choice():
    """Chosen on all trials, two of 40 noisy channels would tell random classes."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 40, 32)), np.arange(60) % 2
    model = make_pipeline(MutualInformationSelector(2), csp_lda(2))
    assert cross_val_score(model, X, y, cv=5).mean() < 0.65


def test_grid_search_runs_over_the_number_and_the_network(data):
    model = make_pipeline(network(), csp_lda(1))
    grid = {
        "networkchannelselector__n_selected_chans": [1, 2],
        "networkchannelselector__estimator__selection__start": [0.2],
    }
    search = GridSearchCV(model, grid, cv=2).fit(data, data.y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    best = search.best_estimator_[0]
    assert best.estimator.selection__start == 0.2
    assert len(best.selected_channels_) == best.n_selected_chans


@every_selector
def test_clones_and_pickles_select_the_same(make):
    X, y = powers()
    selector = make(2).fit(X, y)
    assert_array_equal(clone(selector).fit(X, y).get_support(), selector.get_support())
    assert_array_equal(pickle.loads(pickle.dumps(selector)).transform(X), selector.transform(X))


def test_selectors_are_listed_with_the_transformers():
    listed = dict(all_estimators("transformer"))
    assert listed["NetworkChannelSelector"] is NetworkChannelSelector
    assert {"MutualInformationSelector", "RiemannianSelector"} <= listed.keys()


# ---------------------------------------------------------------------- each by itself


@pytest.mark.parametrize("make", [network, gumbel])
def test_it_selects_as_the_classifier_does_and_leaves_the_network_as_it_was(make, data):
    selector = make(3)
    before = selector.estimator.get_params()
    selector.fit(data, data.y)
    assert selector.estimator.get_params() == before
    direct = clone(selector.estimator).set_params(n_selected_chans=3).fit(data, data.y)
    assert sorted(direct.selected_channels_) == selector.selected_channels_.tolist()
    if make is gumbel:
        assert_array_equal(direct.predict_proba(data), selector.estimator_.predict_proba(data))
        assert not hasattr(selector, "selection_ranking_")
    else:
        assert_array_equal(direct.selection_ranking_, selector.selection_ranking_)
        assert_array_equal(direct.selection_saliency_, selector.selection_saliency_)


def test_without_a_network_it_is_eegnet():
    assert NetworkChannelSelector().get_params() == {"estimator": None, "n_selected_chans": 8}
    X, y = powers()
    with pytest.warns(UserWarning, match="All of them are kept"):
        selector = NetworkChannelSelector().fit(X, y)
    assert_array_equal(selector.transform(X), X)


def test_the_old_name_is_the_same_class_with_a_warning():
    with pytest.warns(DeprecationWarning, match="is now NetworkChannelSelector") as caught:
        assert skeeg.GumbelChannelSelector is NetworkChannelSelector
    assert caught[0].filename == __file__
    with pytest.warns(DeprecationWarning, match="is now NetworkChannelSelector"):
        assert skeeg.channel_selection.GumbelChannelSelector is NetworkChannelSelector


def test_weights_and_groups_reach_the_network():
    X, y = powers()
    weight = np.where(np.arange(48) < 24, 0.0, 1.0)
    selector = network(early_stopping=True).fit(X, y, sample_weight=weight, groups=np.arange(48))
    half = network(early_stopping=True).fit(X[24:], y[24:], np.ones(24), np.arange(24, 48))
    assert_array_equal(selector.selection_saliency_, half.selection_saliency_)


def test_an_estimator_without_a_choice_of_channels_is_refused():
    for estimator in (LogisticRegression(), CCNNClassifier()):
        with pytest.raises(TypeError, match="must be a classifier of raw EEG"):
            NetworkChannelSelector(estimator, 2).fit(*powers())


def test_information_is_that_of_the_best_band():
    X, y = powers(n_trials=40, n_times=256)
    bands = {"alpha": (8, 13), "beta": (13, 30)}
    power = np.log(BandPower(128, bands, log=False).fit_transform(X)).reshape(40, 2, 6)
    expected = [
        mutual_info_classif(power[:, band], y, discrete_features=False, random_state=0)
        for band in range(2)
    ]
    found = channel_information(X, y, sfreq=128, bands=bands)
    assert_allclose(found, np.max(expected, axis=0), atol=0.02)
    selector = MutualInformationSelector(2, 128, bands).fit(X, y)
    assert_array_equal(selector.scores_, found)


def test_information_of_a_perfect_channel_is_the_entropy_of_the_classes():
    X, y = powers(n_trials=300, gain=1e3)
    information = channel_information(X, y)
    assert_allclose(information[[1, 4]], np.log(2), atol=0.02)
    assert information[[0, 2, 3, 5]].max() < 0.1


def test_flat_channels_and_rare_classes_have_information():
    X, y = powers(n_trials=12)
    X[:, 0] = 0
    y[:] = 0
    y[:2] = 1
    assert np.isfinite(channel_information(X, y)).all()
    assert channel_information(np.zeros((6, 2, 8)), np.arange(6) % 2).tolist() == [0, 0]


def test_bands_need_a_rate_that_fits(data):
    with pytest.raises(ValueError, match=r"pass MutualInformationSelector\(sfreq=\.\.\.\) in Hz"):
        MutualInformationSelector(2, bands="classic").fit(data.X, data.y)
    with pytest.raises(ValueError, match="need sfreq"):
        channel_information(data.X, data.y, bands="classic")
    assert MutualInformationSelector(2, bands="classic").fit(data, data.y).n_chans_ == 6
    with pytest.raises(ValueError, match=r"sampled at 128 Hz, but .* has sfreq=250"):
        MutualInformationSelector(2, sfreq=250).fit(data, data.y)


def test_flat_channels_do_not_keep_classes_apart():
    X, y = powers()
    X[:, [0, 5]] = 0
    assert RiemannianSelector(2).fit(X, y).get_support(indices=True).tolist() == [1, 4]


def test_riemannian_selector_says_how_to_get_pyriemann(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyriemann.channelselection", None)
    with pytest.raises(ImportError, match=r"pip install 'skeeg\[riemann\]'"):
        RiemannianSelector(2).fit(*powers())


# ---------------------------------------------------------------------- errors


@every_selector
@pytest.mark.parametrize("value", [0, -1, 2.0, True, "2", None])
def test_an_invalid_number_is_refused(make, value):
    with pytest.raises(ValueError, match=r"n_selected_chans of .* an integer of at least 1; got"):
        make(value).fit(*powers())


@every_selector
@pytest.mark.parametrize("value", [7, 10**9])
def test_more_channels_than_there_are_keep_all_with_a_warning(make, value):
    X, y = powers()
    with pytest.warns(UserWarning, match=rf"n_selected_chans={value} of .* of X, 6. All of them"):
        selector = make(value).fit(X, y)
    assert selector.n_selected_chans == value
    assert_array_equal(selector.transform(X), X)


@every_selector
def test_unsound_trials_are_refused(make):
    X, y = powers()
    selector = make(2).fit(X, y)
    with pytest.raises(ValueError, match="X has 5 channels a trial"):
        selector.transform(X[:, :5])
    X[3, 2, 1] = np.nan
    for method in (selector.transform, lambda X: make(2).fit(X, y)):
        with pytest.raises(ValueError, match="contains NaN: first in trial 3, channel 2"):
            method(X)
    with pytest.raises(ValueError, match="at least two classes"):
        make(2).fit(*[part[::2] for part in powers()])
    with pytest.raises(ValueError, match="requires y"):
        make(2).fit(powers()[0], None)


@every_selector
def test_nothing_is_known_before_fit(make):
    for method in (make(2).get_support, make(2).get_feature_names_out):
        with pytest.raises(NotFittedError):
            method()
    with pytest.raises(NotFittedError):
        make(2).transform(powers()[0])
