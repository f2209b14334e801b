"""The estimator contract on features of electrodes, and other montages than that of fit."""

import pickle
import warnings

import mne
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skeeg import EEGData, ModuleClassifier, PointCNNClassifier
from skeeg._electrodes import sphere_positions
from skeeg.datasets import simulate_motor_imagery
from skeeg.features import DifferentialEntropy, FeatureTable, SampleZScore
from skeeg.models import build_model
from skeeg.networks import PointCNN

from .support import OF_POINTS, make

ROWS = ("AF", "F", "FC", "C", "CP", "P", "PO")
CAP = [f"{row}{column}" for row in ROWS for column in ("5", "3", "1", "z", "2", "4", "6")]
CAP += ["Fp1", "Fpz", "Fp2", "T7", "T8", "O1", "Oz", "O2"]
NAMES = ["F3", "Fz", "F4", "C3", "Cz", "C4", "P3", "Pz", "P4", "O1", "O2"]
BANDS = ["theta", "alpha", "beta"]


def smooth(names=NAMES, n_trials=24, n_kinds=3, seed=0):
    """Fields over the head with a level for each feature; the last is stronger on one side."""
    rng = np.random.default_rng(seed)
    positions = sphere_positions(names)
    y = np.arange(n_trials) % 2
    centres = sphere_positions(CAP)  # the same sources, whichever electrodes there are
    amplitudes = rng.standard_normal((n_trials, n_kinds, len(centres)))
    fields = np.exp(-4 * np.sum((centres[:, None] - positions) ** 2, axis=2))
    X = 0.3 * amplitudes @ fields - 10 * np.arange(n_kinds)[:, None]
    X[:, -1] += np.where(y == 1, 1, -1)[:, None] * 2 * positions[:, 0]
    return X.transpose(0, 2, 1), y


def frame(X, names=NAMES, kinds=BANDS):
    columns = [f"{name}_{kind}" for kind in kinds for name in names]
    return pd.DataFrame(X.transpose(0, 2, 1).reshape(len(X), -1), columns=columns)


def table(X, y, names=NAMES, kinds=BANDS):
    metadata = pd.DataFrame({"trial": np.arange(len(y)) // 4})
    return FeatureTable(frame(X, names, kinds).to_numpy(), y, tuple(kinds), tuple(names), metadata,
                        window=1.0)  # fmt: skip


def quick(**params):
    return make(PointCNNClassifier, **params)


def test_this_is_the_classifier_of_points():
    assert set(OF_POINTS) == {PointCNNClassifier}


# ---------------------------------------------------------------------- input


def test_names_from_any_source_give_the_same_fit(tmp_path):
    X, y = smooth()
    X = X.astype(np.float32).astype(np.float64)
    reference = quick(ch_names=NAMES, max_epochs=1).fit(X, y).predict_proba(X)
    frozen = X.copy()
    frozen.setflags(write=False)
    np.save(tmp_path / "X.npy", X)
    flat = frame(X).to_numpy()
    shuffled = np.random.default_rng(0).permutation(flat.shape[1])
    with_names = {
        "float32": X.astype(np.float32),
        "read-only": frozen,
        "Fortran": np.asfortranarray(X),
        "strided": np.repeat(X, 2, axis=1)[:, ::2],
        "memory map": np.load(tmp_path / "X.npy", mmap_mode="r"),
        "tensor": torch.from_numpy(X),
        "list": X.tolist(),
        "two axes": flat,
        "two axes, list": flat.tolist(),
    }
    naming = {
        "table": table(X, y),
        "frame": frame(X),
        "frame, columns in any order": frame(X).iloc[:, shuffled],
        "frame of float32": frame(X).astype(np.float32),
    }
    for name, trials in with_names.items():
        estimator = quick(ch_names=[n.lower() for n in NAMES], max_epochs=1)
        found = estimator.fit(trials, y).predict_proba(trials)
        np.testing.assert_array_equal(found, reference, err_msg=name)
    for name, trials in naming.items():
        estimator = quick(max_epochs=1).fit(trials, y)
        again = estimator.predict_proba(frame(X).iloc[:, shuffled])
        np.testing.assert_allclose(again, estimator.predict_proba(trials), atol=1e-5, err_msg=name)
        assert sorted(estimator.ch_names_) == sorted(NAMES)
        assert sorted(estimator.kinds_) == sorted(BANDS)
        if "any order" in name:  # batches leave out electrodes by their number
            continue
        # Without names, the features are those of fit.
        for others in (trials, X, flat):
            np.testing.assert_array_equal(estimator.predict_proba(others), reference, err_msg=name)


def test_attributes_describe_the_trials_of_fit():
    X, y = smooth()
    estimator = quick(max_epochs=1).fit(frame(X), y)
    assert (estimator.n_chans_, estimator.n_features_, estimator.n_features_in_) == (11, 3, 11)
    assert estimator.ch_names_ == tuple(NAMES)
    assert estimator.kinds_ == tuple(BANDS)
    np.testing.assert_allclose(estimator.positions_, sphere_positions(NAMES))
    assert (estimator.module_.n_chans, estimator.module_.n_features) == (11, 3)


def test_names_of_another_montage():
    names = [f"E{i}" for i in range(1, 13)]
    X, y = smooth(CAP[:12])
    estimator = quick(ch_names=names, montage="GSN-HydroCel-64_1.0", max_epochs=1).fit(X, y)
    expected = sphere_positions(names, "GSN-HydroCel-64_1.0")
    np.testing.assert_allclose(estimator.positions_, expected)


def test_without_names_electrodes_are_distributed_in_their_order():
    X, y = smooth()
    estimator = quick(max_epochs=1).fit(X, y)
    assert estimator.ch_names_ is None
    np.testing.assert_allclose(estimator.positions_, PointCNN(11, 3, 2).positions)
    with pytest.raises(ValueError, match=r"10 channels a trial.*fitted with 11"):
        estimator.predict(X[:, :10])
    estimator.predict(table(X, y))  # an array has no names to compare


def test_two_axes_without_names_are_one_electrode():
    X, y = smooth()
    with pytest.warns(UserWarning, match="only 1 electrode long"):
        flat = quick().fit(X[:, 0], y)
    with pytest.warns(UserWarning, match="only 1 electrode long"):
        deep = quick().fit(X[:, :1], y)
    np.testing.assert_array_equal(flat.predict_proba(X[:, 0]), deep.predict_proba(X[:, :1]))
    assert (flat.n_chans_, flat.n_features_, flat.n_features_in_) == (1, 3, 3)


def test_channels_that_are_not_electrodes_are_distributed_with_a_warning():
    X, y = smooth()
    names = [f"EEG {i}" for i in range(11)]
    with pytest.warns(UserWarning, match=r"none of the channels of X, such as 'EEG 0'.*ch_names"):
        estimator = quick().fit(frame(X, names), y)
    reference = quick().fit(X, y)
    np.testing.assert_array_equal(
        estimator.predict_proba(frame(X, names)), reference.predict_proba(X)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        placed = quick(ch_names=NAMES, max_epochs=1).fit(frame(X, names), y)
    assert placed.ch_names_ == tuple(NAMES)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([*NAMES[:-2], "EXG1", "x"], r"'EXG1', 'x', which the 10-05 system does not contain"),
        (NAMES[:-1], r"X has 11 channels, but there are names of 10.*set_params\(ch_names"),
        ([*NAMES[:-1], "F3"], r"come twice: \['F3'\]"),
        ("Cz", "ch_names of PointCNNClassifier must name"),
    ],
)
def test_names_that_do_not_fit_raise(names, message):
    X, y = smooth()
    with pytest.raises(ValueError, match=message):
        quick(ch_names=names).fit(X, y)
    estimator = quick(ch_names=NAMES, max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match=message):
        estimator.set_params(ch_names=names).predict(X)


def test_columns_that_are_not_electrodes_raise_with_their_names():
    X, y = smooth()
    with pytest.raises(ValueError, match="'EOG', which the 10-05 system does not contain"):
        quick().fit(frame(X, [*NAMES[:-1], "EOG"]), y)


def test_a_number_of_features_that_is_not_a_multiple_of_the_names_raises():
    X, y = smooth()
    with pytest.raises(ValueError, match="32 features, which is not a multiple of the 11 ch_names"):
        quick(ch_names=NAMES).fit(frame(X).to_numpy()[:, 1:], y)


def test_the_error_for_a_recording_names_features():
    X, y = smooth()
    data = EEGData.from_arrays(X, y, 128, NAMES)
    epochs = mne.EpochsArray(X, mne.create_info(NAMES, 128, "eeg"), verbose="error")
    estimator = quick(max_epochs=1).fit(frame(X), y)
    message = (
        r"takes features of each channel.*got a recording at 128 Hz.*"
        r'DifferentialEntropy\(\.\.\.\)\.set_output\(transform="pandas"\), PointCNNClassifier'
    )
    for recording in (data, epochs, [epochs[:12], epochs[12:]]):
        with pytest.raises(ValueError, match=message):
            quick().fit(recording, y)
        with pytest.raises(ValueError, match=message):
            estimator.predict(recording)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_raise_with_their_place(value):
    X, y = smooth()
    estimator = quick(max_epochs=1).fit(frame(X), y)
    X[5, 3, 2] = value
    for fit_or_predict in (lambda: quick().fit(frame(X), y), lambda: estimator.predict(frame(X))):
        with pytest.raises(ValueError, match=r"trial 5, channel 3 \(C3\), feature 2"):
            fit_or_predict()
    other, _ = smooth(CAP)
    other[7, 55, 0] = value
    with pytest.raises(ValueError, match=r"trial 7, channel 55 \(Oz\), feature 0"):
        estimator.predict(frame(other, CAP))


# ---------------------------------------------------------------------- other montages


def test_trained_on_half_of_the_electrodes_it_decodes_the_other_half():
    seen, others = CAP[::2], CAP[1::2]
    assert not set(seen) & set(others)
    X, y = smooth(seen, n_trials=60)
    estimator = quick(max_epochs=8, lr=3e-3).fit(frame(X, seen), y)
    X_seen, y_test = smooth(seen, n_trials=100, seed=1)
    X_others, _ = smooth(others, n_trials=100, seed=1)
    same = estimator.score(frame(X_seen, seen), y_test)
    elsewhere = estimator.score(frame(X_others, others), y_test)
    assert same >= 0.9
    assert elsewhere >= 0.85
    # And more of them than it was trained on, or fewer.
    for names in (CAP, CAP[1::3]):
        X_more, _ = smooth(names, n_trials=100, seed=1)
        assert estimator.score(frame(X_more, names), y_test) >= 0.85


@pytest.mark.parametrize("names", [CAP, CAP[::5], NAMES[::-1]])
def test_predictions_on_another_montage_are_those_of_the_same_weights_there(names):
    X, y = smooth()
    estimator = quick().fit(frame(X), y)
    elsewhere, _ = smooth(names)
    network = PointCNN(len(names), 3, 2, positions=sphere_positions(names))
    network.load_state_dict(estimator.module_.state_dict())
    scaled = torch.tensor(elsewhere / estimator.scale_, dtype=torch.float32)
    expected = network.eval()(scaled).softmax(dim=1).detach().numpy()
    found = estimator.predict_proba(frame(elsewhere, names))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert estimator.ch_names_ == tuple(NAMES)  # the montage of the classifier is unchanged
    np.testing.assert_array_equal(estimator.positions_, sphere_positions(NAMES))
    by_table = estimator.predict_proba(table(elsewhere, y, names))
    np.testing.assert_array_equal(by_table, found)
    estimator.set_params(ch_names=names)
    np.testing.assert_array_equal(estimator.predict_proba(elsewhere), found)
    alone = np.concatenate([estimator.predict_proba(x[None]) for x in elsewhere])
    np.testing.assert_array_equal(alone, found)


def test_many_trials_of_another_montage_are_predicted_in_batches():
    X, y = smooth()
    estimator = quick(max_epochs=1).fit(frame(X), y)
    elsewhere, _ = smooth(CAP, n_trials=300)
    found = estimator.predict_proba(frame(elsewhere, CAP))
    last = estimator.predict_proba(frame(elsewhere[290:], CAP))
    np.testing.assert_allclose(found[290:], last, atol=1e-5)


def test_another_number_of_electrodes_without_names_raises():
    X, y = smooth()
    estimator = quick(max_epochs=1).fit(frame(X), y)
    elsewhere, _ = smooth(CAP)
    with pytest.raises(ValueError, match=r"57 channels, but there are names of 11.*set_params"):
        estimator.predict(elsewhere)
    few = frame(X[:, :5], NAMES[:5])
    with pytest.raises(ValueError, match=r"8 neighbours were asked for.*only 5 points"):
        estimator.predict(few)


def test_other_features_raise_and_brought_into_order():
    X, y = smooth()
    estimator = quick().fit(frame(X), y)
    turned = frame(X[:, :, ::-1], kinds=BANDS[::-1])
    np.testing.assert_array_equal(
        estimator.predict_proba(turned), estimator.predict_proba(frame(X))
    )
    with pytest.raises(ValueError, match=r"features theta, alpha, gamma.*theta, alpha, beta"):
        estimator.predict(frame(X, kinds=["theta", "alpha", "gamma"]))
    with pytest.raises(ValueError, match=r"features theta, alpha of each.*fitted with theta"):
        estimator.predict(frame(X[:, :, :2], kinds=BANDS[:2]))
    with pytest.raises(ValueError, match=r"2 features a trial.*fitted with 3"):
        estimator.predict(X[:, :, :2])


def test_training_continues_at_the_positions_of_the_new_electrodes():
    X, y = smooth()
    elsewhere, _ = smooth(CAP)
    estimator = quick().fit(frame(X), y)
    before = estimator.predict_proba(frame(X))
    estimator.partial_fit(frame(elsewhere, CAP), y)
    assert estimator.ch_names_ == tuple(CAP)
    assert estimator.n_chans_ == len(estimator.positions_) == 57
    assert len(estimator.history) == 6
    assert estimator.predict_proba(elsewhere).shape == (24, 2)
    assert np.abs(estimator.predict_proba(frame(X)) - before).max() > 1e-4


# ---------------------------------------------------------------------- with scikit-learn


def test_pickles_and_clones_keep_the_electrodes():
    X, y = smooth()
    estimator = quick(ch_names=NAMES).fit(X, y)
    proba = estimator.predict_proba(X)
    elsewhere = frame(smooth(CAP)[0], CAP)
    again = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(again.predict_proba(X), proba)
    np.testing.assert_array_equal(
        again.predict_proba(elsewhere), estimator.predict_proba(elsewhere)
    )
    np.testing.assert_array_equal(clone(estimator).fit(X, y).predict_proba(X), proba)


def test_weights_load_into_a_classifier_of_another_montage(tmp_path):
    X, y = smooth()
    elsewhere = frame(smooth(CAP)[0], CAP)
    estimator = quick().fit(frame(X), y)
    estimator.save_params(f_params=tmp_path / "weights.pt")
    other = quick(max_epochs=1, random_state=1).fit(elsewhere, y)
    other.load_params(f_params=tmp_path / "weights.pt")
    other.scale_ = estimator.scale_
    np.testing.assert_allclose(
        other.predict_proba(elsewhere), estimator.predict_proba(elsewhere), atol=1e-5
    )


def test_a_table_is_cut_by_splitters_and_early_stopping_keeps_its_trials_together():
    X, y = smooth(n_trials=32)
    rows = table(X, y)
    groups = rows.groups("trial")
    scores = cross_val_score(quick(), rows, y, groups=groups, cv=GroupKFold(2))
    assert scores.shape == (2,)
    found = {}

    class Watching(PointCNNClassifier):
        def _validation_split(self, y, groups, seed):
            found["groups"] = groups
            return super()._validation_split(y, groups, seed)

    Watching(max_epochs=1, early_stopping=True).fit(rows, y)
    np.testing.assert_array_equal(found["groups"], groups)


def test_in_a_grid_search_over_sizes():
    X, y = smooth()
    grid = {"n_neighbors": [4, 6], "n_first_filters": [8]}
    search = GridSearchCV(quick(max_epochs=1), grid, cv=2).fit(frame(X), y)
    assert search.best_estimator_.module_.first_conv.n_out == 8
    assert search.best_estimator_.module_.first_conv.n_neighbors in (4, 6)


@pytest.mark.parametrize("named", [True, False])
def test_names_of_a_recording_pass_through_the_pipeline(named):
    data = simulate_motor_imagery(n_subjects=1, n_sessions=1, random_state=0)
    if not named:
        data = EEGData.from_arrays(data.X, data.y, data.sfreq)
    steps = (DifferentialEntropy(sfreq=128), SampleZScore(), quick())
    pipeline = make_pipeline(*steps).set_output(transform="pandas")
    with warnings.catch_warnings():
        warnings.simplefilter("error" if named else "ignore")
        pipeline.fit(data, data.y)
    classifier = pipeline[-1]
    assert classifier.ch_names_ == (data.ch_names if named else None)
    assert (classifier.n_chans_, classifier.n_features_) == (22, 5)
    assert pipeline.predict(data).shape == data.y.shape
    if named:
        by_name = make_pipeline(*steps[:2], quick(ch_names=data.ch_names)).fit(data.X, data.y)
        np.testing.assert_array_equal(by_name.predict_proba(data.X), pipeline.predict_proba(data))


def test_volts_and_microvolts_give_the_same_predictions_after_entropy():
    data = simulate_motor_imagery(n_subjects=1, n_sessions=1, random_state=0)
    proba = []
    for factor in (1, 1e6):
        pipeline = make_pipeline(DifferentialEntropy(sfreq=128), quick(ch_names=data.ch_names))
        X = data.X.astype(np.float64) * factor
        proba.append(pipeline.fit(X, data.y).predict_proba(X))
    np.testing.assert_allclose(proba[0], proba[1], atol=2e-3)


def test_the_built_in_model_decodes_recordings():
    data = simulate_motor_imagery(n_subjects=1, n_sessions=1, random_state=0)
    model = build_model("pointcnn", sfreq=data.sfreq, max_epochs=1, random_state=0)
    model.fit(data, data.y)
    assert model[-1].ch_names_ == data.ch_names
    assert model.score(data, data.y) >= 0


def test_the_generic_classifier_takes_the_network_too():
    X, y = smooth()
    estimator = ModuleClassifier(module=PointCNN, max_epochs=1, random_state=0).fit(X, y)
    assert (estimator.n_chans_, estimator.n_features_) == (11, 3)
    assert estimator.predict(X).shape == (24,)
