"""The estimator contract on topographic maps, for the classifiers that take them."""

import pickle
import warnings

import mne
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skeeg import CCNNClassifier, EEGData, LeNetClassifier, ModuleClassifier
from skeeg.layers import ACTIVATIONS
from skeeg.networks import CCNN, LeNet

from .support import NAMES, TOPOGRAPHIC, make, maps

each_classifier = pytest.mark.parametrize("cls", TOPOGRAPHIC)
pytestmark = pytest.mark.filterwarnings("ignore:.*the length is clipped:UserWarning")


def test_these_are_the_topographic_classifiers():
    assert set(TOPOGRAPHIC) == {CCNNClassifier, LeNetClassifier}
    assert {cls.__name__ for cls in TOPOGRAPHIC} <= set(NAMES)


@each_classifier
def test_the_network_is_built_for_the_maps_of_fit(cls):
    X, y = maps(n_bands=4, height=8, width=11, n_classes=3)
    estimator = make(cls, max_epochs=1).fit(X, y)
    module = estimator.module_
    assert (estimator.n_bands_, estimator.height_, estimator.width_) == (4, 8, 11)
    assert (module.n_bands, module.height, module.width, module.n_outputs) == (4, 8, 11, 3)
    assert estimator.n_features_in_ == 4
    assert not hasattr(estimator, "n_chans_")


@pytest.mark.parametrize(
    ("cls", "variant"),
    [
        (CCNNClassifier, "paper"),
        (CCNNClassifier, "released"),
        (LeNetClassifier, "simple"),
        (LeNetClassifier, "1998"),
    ],
)
def test_learns_a_separable_task(cls, variant):
    X, y = maps(n_trials=120)
    estimator = make(cls, variant=variant, max_epochs=20, lr=3e-3).fit(X[:80], y[:80])
    assert estimator.score(X[80:], y[80:]) >= 0.9


@each_classifier
@pytest.mark.parametrize("activation", [*ACTIVATIONS, "scaled_tanh"])
def test_every_activation_trains(cls, activation):
    if activation == "scaled_tanh" and cls is not LeNetClassifier:
        with pytest.raises(ValueError, match="activation must be one of"):
            make(cls, activation=activation).fit(*maps())
        return
    X, y = maps()
    steady = {"dropout": 0.0} if "dropout" in cls().get_params() else {}  # its noise hides a trend
    estimator = make(cls, activation=activation, max_epochs=8, lr=1e-3, **steady).fit(X, y)
    losses = estimator.history[:, "train_loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


# ---------------------------------------------------------------------- input


@each_classifier
def test_input_of_any_layout_gives_the_same_fit(cls, tmp_path):
    X, y = maps()
    X = X.astype(np.float32).astype(np.float64)
    reference = make(cls).fit(X, y).predict_proba(X)
    frozen = X.copy()
    frozen.setflags(write=False)
    mapped = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float64, X.shape)
    mapped[:] = X
    mapped.flush()
    layouts = {
        "float32": X.astype(np.float32),
        "read-only": frozen,
        "Fortran": np.asfortranarray(X),
        "bands last": np.ascontiguousarray(X.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2),
        "memory map": np.load(tmp_path / "X.npy", mmap_mode="r"),
        "tensor": torch.from_numpy(X),
        "list": X.tolist(),
    }
    for name, trials in layouts.items():
        found = make(cls).fit(trials, y).predict_proba(trials)
        np.testing.assert_array_equal(found, reference, err_msg=name)
    np.testing.assert_array_equal(frozen, X)


@each_classifier
def test_three_dimensional_input_is_one_band(cls):
    X, y = maps(n_bands=1)
    flat, deep = make(cls).fit(X[:, 0], y), make(cls).fit(X, y)
    np.testing.assert_array_equal(flat.predict_proba(X[:, 0]), deep.predict_proba(X))
    np.testing.assert_array_equal(flat.predict_proba(X), deep.predict_proba(X[:, 0]))
    assert (flat.n_bands_, flat.height_, flat.width_, flat.n_features_in_) == (1, 9, 9, 9)


@each_classifier
def test_two_dimensional_input_is_one_band_of_one_row(cls):
    X, y = maps(n_bands=1, height=1)
    flat, deep = make(cls).fit(X[:, 0, 0], y), make(cls).fit(X, y)
    np.testing.assert_array_equal(flat.predict_proba(X[:, 0, 0]), deep.predict_proba(X))
    assert (flat.n_bands_, flat.height_, flat.width_, flat.n_features_in_) == (1, 1, 9, 9)


@each_classifier
def test_the_error_for_a_recording_names_a_topographic_map(cls):
    X, y = maps(n_bands=1)
    data = EEGData.from_arrays(X[:, 0], y, 128)
    info = mne.create_info(9, 128, "eeg")
    epochs = mne.EpochsArray(X[:, 0], info, verbose="error")
    message = (
        rf"{cls.__name__} takes topographic maps, X of shape \(n_trials, n_bands, height, width\), "
        r"got a recording at 128 Hz.*make_pipeline\(DifferentialEntropy\(\.\.\.\), "
        rf"TopographicMap\(\.\.\.\), {cls.__name__}"
    )
    fitted = make(cls, max_epochs=1).fit(X, y)
    for recording in (data, epochs):
        with pytest.raises(ValueError, match=message):
            make(cls).fit(recording, y)
        with pytest.raises(ValueError, match=message):
            fitted.predict(recording)


@each_classifier
@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (np.s_[:, :2], r"2 bands a trial.*fitted with 3.*\(n_trials, 3, 9, 9\)"),
        (np.s_[:, :, :8], "8 rows a trial.*fitted with 9"),
        (np.s_[:, :, :, 1:], "8 columns a trial.*fitted with 9"),
        (np.s_[:, 0], "1 bands a trial.*fitted with 3"),
        (np.s_[:, 0, 0], "1 bands a trial.*fitted with 3"),
        (np.s_[:, None], r"\(n_trials, n_bands, height, width\), got 5 dimensions"),
        (np.s_[:0], "0 sample"),
        (np.s_[:, :, :0], "empty"),
        (np.s_[:, 0, 0, 0], "1D array"),
    ],
)
def test_another_grid_than_in_fit_raises(cls, cut, message):
    X, y = maps()
    estimator = make(cls, max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match=message):
        estimator.predict(X[cut])


@each_classifier
@pytest.mark.parametrize("where", ["fit", "predict"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_raise_with_their_place(cls, where, value):
    X, y = maps()
    estimator = make(cls, max_epochs=1).fit(X, y)
    X[5, 2, 7, 3] = value
    with pytest.raises(ValueError, match="first in trial 5, band 2, row 7, column 3"):
        estimator.fit(X, y) if where == "fit" else estimator.predict(X)


@each_classifier
def test_maps_of_several_shapes_raise_as_ragged(cls):
    X, y = maps()
    with pytest.raises(ValueError, match=r"ragged.*\(n_trials, n_bands, height, width\)"):
        make(cls).fit([*X[:-1], X[-1][:, :8]], y)


@each_classifier
@pytest.mark.parametrize("size", [(1, 1, 1), (2, 1, 5), (1, 7, 1), (5, 2, 2)])
def test_tiny_maps_fit_with_a_warning_at_most(cls, size):
    X, y = maps(24, *size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        proba = make(cls).fit(X, y).predict_proba(X)
    assert np.isfinite(proba).all()


# ---------------------------------------------------------------------- repeatability


@each_classifier
def test_a_fit_does_not_depend_on_the_unit(cls):
    X, y = maps()
    a, b = make(cls).fit(X, y), make(cls).fit(X * 1e-6, y)
    assert a.scale_ == pytest.approx(X.std())
    assert b.scale_ == pytest.approx(a.scale_ * 1e-6)
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X * 1e-6), atol=1e-4)


@each_classifier
def test_fits_and_pickles_are_equal_to_the_last_bit(cls):
    X, y = maps()
    estimator = make(cls).fit(X, y)
    proba = estimator.predict_proba(X)
    again = pickle.loads(pickle.dumps(estimator))
    for other in (again, clone(estimator).fit(X, y), again.fit(X, y)):
        np.testing.assert_array_equal(other.predict_proba(X), proba)


@each_classifier
def test_a_trial_is_predicted_alone_as_in_any_order_among_others(cls):
    X, y = maps()
    estimator = make(cls).fit(X, y)
    proba = estimator.predict_proba(X)
    np.testing.assert_array_equal(estimator.predict_proba(X[::-1])[::-1], proba)
    alone = np.concatenate([estimator.predict_proba(x[None]) for x in X])
    np.testing.assert_array_equal(alone, proba)


@each_classifier
def test_weights_survive_save_params(cls, tmp_path):
    X, y = maps()
    estimator = make(cls).fit(X, y)
    estimator.save_params(f_params=tmp_path / "weights.pt")
    other = make(cls, random_state=1, max_epochs=1).fit(X, y)
    other.load_params(f_params=tmp_path / "weights.pt")
    np.testing.assert_array_equal(other.predict_proba(X), estimator.predict_proba(X))


# ---------------------------------------------------------------------- with scikit-learn


@each_classifier
def test_in_a_pipeline_after_features_and_maps(cls):
    X, y = maps(n_trials=32)
    flat = X.reshape(32, -1)
    to_maps = FunctionTransformer(np.reshape, kw_args={"shape": (-1, 3, 8, 8)})
    pipeline = make_pipeline(SelectKBest(k=192), to_maps, make(cls))
    assert cross_val_score(pipeline, flat, y, cv=2).shape == (2,)


@pytest.mark.parametrize("module", [CCNN, LeNet])
def test_the_generic_classifier_takes_topographic_networks_too(module):
    X, y = maps()
    estimator = ModuleClassifier(module=module, max_epochs=1, random_state=0)
    if module is CCNN:
        estimator.set_params(module__n_filters=4, module__n_hidden=16)
    assert estimator.fit(X, y).predict_proba(X).shape == (24, 2)
    assert estimator.module_.width == 9
    built = module(3, 9, 9, 2)
    assert ModuleClassifier(module=built, max_epochs=1).fit(X, y).n_bands_ == 3
    assert built.training  # a copy was trained


@each_classifier
def test_before_fit_the_sizes_that_are_missing_are_named(cls):
    with pytest.raises(ValueError, match=r"module__height, module__n_bands, .*module__width"):
        cls().initialize()
    params = {"n_bands": 1, "height": 2, "width": 3, "n_outputs": 4}
    estimator = make(cls, **{f"module__{name}": value for name, value in params.items()})
    assert estimator.initialize().module_.n_outputs == 4
