"""The estimator contract on EEG trials, one body over all classifiers."""

import json
import pickle
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch import NeuralNetClassifier

from skeeg import EEGData, ModuleClassifier, ModuleRegressor
from skeeg._validation import MAPS, POINTS

from .support import CLASSIFIERS, NAMES, OF_SIGNALS, REGRESSORS, make, oscillations

every_classifier = pytest.mark.parametrize("cls", CLASSIFIERS, ids=NAMES)
# Tests that do not depend on the task; for regressors, the labels 0 and 1 are numbers. Tests of
# regressors only are in test_regression_contract.py.
every_estimator = pytest.mark.parametrize("cls", CLASSIFIERS + REGRESSORS)
# Estimators of topographic maps are tested in test_topographic.py, and those of features of
# electrodes in test_pointcnn.py.
every_classifier_of_signals = pytest.mark.parametrize("cls", OF_SIGNALS)
every_estimator_of_signals = pytest.mark.parametrize(
    "cls", OF_SIGNALS + [cls for cls in REGRESSORS if cls._trial_axes not in (MAPS, POINTS)]
)
pytestmark = pytest.mark.filterwarnings("ignore:.*the length is clipped:UserWarning")


def output(estimator, X):
    """Probabilities of a classifier, values of a regressor."""
    return getattr(estimator, "predict_proba", estimator.predict)(X)


def scoring_of(cls):
    """A score that the last bit of the output changes."""
    return "neg_log_loss" if cls in CLASSIFIERS else "r2"


def weights(estimator):
    return {name: value.clone() for name, value in estimator.module_.state_dict().items()}


def assert_same_weights(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name


# ---------------------------------------------------------------------- parameters


@every_classifier
def test_is_a_skorch_classifier_with_keyword_only_parameters(cls):
    assert issubclass(cls, NeuralNetClassifier)
    with pytest.raises(TypeError):
        cls(7)


@every_estimator
def test_defaults_are_json_and_constructor_only_assigns(cls):
    estimator = cls()
    params = estimator.get_params()
    params.pop("module", None)
    json.dumps(params)
    assert set(vars(estimator)) == set(estimator.get_params())


@every_estimator
def test_clone_copies_parameters_of_signature_and_skorch(cls):
    estimator = cls(
        max_epochs=3, optimizer__betas=(0.8, 0.9), iterator_train__num_workers=0, lr=0.01
    )
    copy = clone(estimator)
    assert copy.get_params() == estimator.get_params()
    assert copy.get_params()["optimizer__betas"] == (0.8, 0.9)


@every_classifier
def test_skorch_parameters_take_effect_and_round_trip_through_set_params(cls):
    X, y = oscillations()
    estimator = make(cls, optimizer__betas=(0.8, 0.9), criterion__label_smoothing=0.1)
    estimator.set_params(optimizer__eps=1e-6, callbacks__print_log=None)
    estimator.fit(X, y)
    group = estimator.optimizer_.param_groups[0]
    assert group["betas"] == (0.8, 0.9)
    assert group["eps"] == 1e-6
    assert estimator.criterion_.label_smoothing == 0.1
    assert "print_log" not in dict(estimator.callbacks_)
    params = estimator.get_params()
    assert params["optimizer__eps"] == 1e-6
    assert params["callbacks__print_log"] is None


@every_estimator
@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("max_epoch", "max_epochs"),
        ("optimizer__weight_decy", "optimizer__weight_decay"),
        ("optimzer__weight_decay", "optimizer__weight_decay"),
        ("iterator_train__num_worker", "iterator_train__num_workers"),
        ("train_spilt", "train_split"),
    ],
)
def test_misspelt_parameter_raises_with_the_nearest_name(cls, wrong, right):
    with pytest.raises(TypeError, match=f"{wrong}.*{right}"):
        cls(**{wrong: 1})
    with pytest.raises(ValueError, match=f"{wrong}.*{right}"):
        cls().set_params(**{wrong: 1})


@every_classifier
def test_misspelt_parameter_of_the_cross_entropy_raises_with_the_nearest_name(cls):
    wrong = "criterion__label_smothing"
    with pytest.raises(TypeError, match=f"{wrong}.*criterion__label_smoothing"):
        cls(**{wrong: 1})
    with pytest.raises(ValueError, match=f"{wrong}.*criterion__label_smoothing"):
        cls().set_params(**{wrong: 1})


def test_misspelt_module_parameter_raises():
    with pytest.raises(TypeError, match=r"module__kernel_lenght.*module__kernel_length"):
        ModuleClassifier(module__kernel_lenght=3)


@every_estimator
def test_callback_parameter_without_its_callback_raises(cls):
    X, y = oscillations()
    with pytest.raises(ValueError, match="callbacks__prnt_log names no callback"):
        make(cls, callbacks__prnt_log=None).fit(X, y)


@every_estimator
def test_fit_changes_no_parameter(cls):
    X, y = oscillations()
    estimator = make(cls, early_stopping=True)
    before = estimator.get_params()
    estimator.fit(X, y)
    assert estimator.get_params() == before
    assert estimator.device == "auto"


@every_estimator
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_epochs", -1),
        ("max_epochs", 2.5),
        ("batch_size", 0),
        ("batch_size", "many"),
        ("lr", 0.0),
        ("lr", "high"),
        ("weight_decay", -1e-3),
        ("validation_fraction", 1.0),
        ("n_iter_no_change", 0),
        ("n_threads", 0),
        ("optimizer", "adma"),
        ("device", "gpu"),
        ("device", "cuda:99"),
        ("random_state", "seed"),
    ],
)
def test_invalid_value_raises_by_name_in_fit(cls, name, value):
    X, y = oscillations()
    with pytest.raises(ValueError, match=name if name != "random_state" else "seed"):
        make(cls, **{name: value}).fit(X, y)


@every_estimator
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"activation": "elo"}, "elu"),
        ({"activation": "elu", "alpha": -0.5}, "alpha"),
        ({"activation": "relu", "alpha": 0.5}, "alpha"),
    ],
)
def test_invalid_activation_raises_in_fit(cls, params, message):
    X, y = oscillations()
    with pytest.raises(ValueError, match=message):
        make(cls, **params).fit(X, y)


@every_estimator
@pytest.mark.parametrize(
    ("name", "alpha", "kind"),
    [("elu", 0.2, torch.nn.ELU), ("leaky_relu", 0.3, torch.nn.LeakyReLU), ("tanh", None, None)],
)
def test_activation_and_alpha_reach_the_network(cls, name, alpha, kind):
    X, y = oscillations()
    module = make(cls, activation=name, alpha=alpha, max_epochs=1).fit(X, y).module_
    found = [m for m in module.modules() if isinstance(m, kind or torch.nn.Tanh)]
    assert found
    if kind is torch.nn.ELU:
        assert all(m.alpha == alpha for m in found)
    elif kind is torch.nn.LeakyReLU:
        assert all(m.negative_slope == alpha for m in found)


@every_estimator
def test_repr_shows_what_differs_from_the_default_fitted_or_not(cls):
    X, y = oscillations()
    estimator = make(cls)
    for _ in range(2):
        text = repr(estimator)
        assert text.startswith(f"{cls.__name__}(")
        assert "max_epochs=3" in text
        assert "weight_decay" not in text
        assert cls.__name__ in estimator._repr_html_()
        estimator.fit(X, y)


# ---------------------------------------------------------------------- repeatability


@every_estimator
def test_fits_with_one_random_state_are_equal_to_the_last_bit(cls):
    X, y = oscillations()
    a, b = make(cls).fit(X, y), make(cls).fit(X, y)
    assert_same_weights(weights(a), weights(b))
    c = make(cls, random_state=1).fit(X, y)
    assert not np.array_equal(output(a, X), output(c, X))


@every_estimator
def test_refit_is_equal_to_a_first_fit(cls):
    X, y = oscillations()
    estimator = make(cls).fit(X[:12], y[:12])
    assert_same_weights(weights(estimator.fit(X, y)), weights(make(cls).fit(X, y)))


@every_estimator
def test_random_state_instance_gives_another_fit_each_time(cls):
    X, y = oscillations()
    estimator = make(cls, random_state=np.random.RandomState(0))
    first = weights(estimator.fit(X, y))
    second = weights(estimator.fit(X, y))
    assert any(not torch.equal(first[name], second[name]) for name in first)


@every_estimator
@pytest.mark.parametrize("random_state", [None, 0])
def test_global_generators_are_neither_used_nor_changed(cls, random_state):
    X, y = oscillations()
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    estimator = make(cls, random_state=random_state, early_stopping=True).fit(X, y)
    estimator.predict(X)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    again = make(cls, random_state=random_state).fit(X, y)
    if random_state is None:
        assert not np.array_equal(output(again, X), output(estimator, X))


@every_estimator
def test_number_of_threads_is_put_back(cls):
    X, y = oscillations()
    before = torch.get_num_threads()
    make(cls, n_threads=before + 1, max_epochs=1).fit(X, y).predict(X)
    assert torch.get_num_threads() == before


@every_estimator
def test_grid_search_in_two_processes_equals_one_to_the_last_bit(cls):
    X, y = oscillations()
    results = []
    for n_jobs in (1, 2):
        search = GridSearchCV(
            make(cls), {"lr": [1e-3, 1e-2]}, cv=2, n_jobs=n_jobs, scoring=scoring_of(cls)
        ).fit(X, y)
        results.append((search.cv_results_["mean_test_score"], weights(search.best_estimator_)))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    assert_same_weights(results[0][1], results[1][1])


@every_estimator
def test_threads_of_joblib_give_the_same_scores_as_one_process(cls):
    import joblib

    X, y = oscillations()
    alone = cross_val_score(make(cls), X, y, cv=3, scoring=scoring_of(cls))
    with joblib.parallel_backend("threading", n_jobs=2):
        threaded = cross_val_score(make(cls), X, y, cv=3, scoring=scoring_of(cls))
    np.testing.assert_array_equal(alone, threaded)


@pytest.mark.parametrize("classes", [CLASSIFIERS, REGRESSORS], ids=["classifiers", "regressors"])
def test_pickles_predict_and_refit_alike_in_a_new_process(classes, tmp_path):
    X, y = oscillations()
    fitted = [make(cls).fit(X, y) for cls in classes]
    np.savez(tmp_path / "trials.npz", X=X, y=y)
    (tmp_path / "estimators.pkl").write_bytes(pickle.dumps(fitted))
    script = """
        import pickle, sys
        from pathlib import Path
        import numpy as np
        folder = Path(sys.argv[1])
        trials = np.load(folder / "trials.npz")
        estimators = pickle.loads((folder / "estimators.pkl").read_bytes())
        output = lambda e: getattr(e, "predict_proba", e.predict)(trials["X"])
        loaded = [output(e) for e in estimators]
        refitted = [output(e.fit(trials["X"], trials["y"])) for e in estimators]
        np.savez(folder / "out.npz", loaded=loaded, refitted=refitted)
    """
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script), str(tmp_path)]
    subprocess.run(command, check=True)
    expected = [output(estimator, X) for estimator in fitted]
    out = np.load(tmp_path / "out.npz")
    np.testing.assert_array_equal(out["loaded"], expected)
    np.testing.assert_array_equal(out["refitted"], expected)


@every_estimator
def test_trained_copy_continues_like_the_original(cls):
    X, y = oscillations()
    estimator = make(cls).fit(X, y)
    copy = pickle.loads(pickle.dumps(estimator))
    assert_same_weights(weights(estimator.partial_fit(X, y)), weights(copy.partial_fit(X, y)))


# ---------------------------------------------------------------------- labels


@every_classifier
@pytest.mark.parametrize(
    "labels",
    [
        np.array(["left", "right"]),
        np.array(["left", "right"], dtype=object),
        np.array([1, 2]),
        np.array([5, 7]),
        np.array([False, True]),
        np.array([-1.0, 1.0]),
    ],
    ids=["str", "object", "1-2", "5-7", "bool", "float"],
)
def test_labels_of_any_dtype_come_back(cls, labels):
    X, y = oscillations()
    estimator = make(cls).fit(X, labels[y])
    predicted = estimator.predict(X)
    assert predicted.dtype == labels.dtype
    assert set(predicted) <= set(labels)
    np.testing.assert_array_equal(estimator.classes_, np.unique(labels))
    np.testing.assert_array_equal(estimator.predict_proba(X), make(cls).fit(X, y).predict_proba(X))


@every_classifier
@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_any_number_of_classes(cls, n_classes):
    X, y = oscillations(n_trials=3 * n_classes, n_classes=n_classes)
    proba = make(cls).fit(X, y).predict_proba(X)
    assert proba.shape == (len(X), n_classes)
    assert proba.dtype == np.float32
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)


@every_classifier
def test_one_class_raises(cls):
    X, _ = oscillations()
    with pytest.raises(ValueError, match="one class"):
        make(cls).fit(X, np.zeros(len(X)))


@every_estimator
def test_missing_labels_raise(cls):
    X, y = oscillations()
    data = EEGData.from_arrays(X, y, sfreq=96)
    with pytest.raises(ValueError, match=r"requires y.*its y"):
        make(cls).fit(data, None)


@every_estimator
def test_labels_of_another_length_raise(cls):
    X, y = oscillations()
    with pytest.raises(ValueError, match=r"24.*23|23.*24"):
        make(cls).fit(X, y[:-1])


# ---------------------------------------------------------------------- trials


@every_estimator_of_signals
def test_input_of_any_layout_gives_the_same_fit(cls, tmp_path):
    X, y = oscillations()
    X = X.astype(np.float32).astype(np.float64)
    # Lengths that follow from the sampling rate where one is known.
    lengths = {"kernel_length": 32, "branch_kernel_length": 8}
    fixed = {name: n for name, n in lengths.items() if name in cls().get_params()}
    if cls in (ModuleClassifier, ModuleRegressor):
        fixed = {"module__kernel_length": 32}
    reference = output(make(cls, **fixed).fit(X, y), X)
    frozen = X.copy()
    frozen.setflags(write=False)
    mapped = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float64, X.shape)
    mapped[:] = X
    mapped.flush()
    layouts = {
        "float32": X.astype(np.float32),
        "read-only": frozen,
        "Fortran": np.asfortranarray(X),
        "strided": np.repeat(X, 2, axis=2)[:, :, ::2],
        "memory map": np.load(tmp_path / "X.npy", mmap_mode="r"),
        "tensor": torch.from_numpy(X),
        "list": X.tolist(),
        "big-endian": X.astype(">f8"),
        "EEGData": EEGData.from_arrays(X, y, sfreq=96),
    }
    for name, trials in layouts.items():
        found = output(make(cls, **fixed).fit(trials, y), trials)
        np.testing.assert_array_equal(found, reference, err_msg=name)
    np.testing.assert_array_equal(frozen, X)


@every_estimator
@pytest.mark.parametrize("factor", [1e-6, 1e6, 1e-12])
def test_volts_and_microvolts_give_the_same_predictions(cls, factor):
    X, y = oscillations()
    a, b = make(cls).fit(X, y), make(cls).fit(X * factor, y)
    if cls in CLASSIFIERS:
        np.testing.assert_array_equal(a.predict(X), b.predict(X * factor))
    np.testing.assert_allclose(output(a, X), output(b, X * factor), atol=1e-4)
    assert b.scale_ == pytest.approx(a.scale_ * factor)


@every_estimator
def test_scale_is_the_standard_deviation_of_the_training_trials(cls):
    X, y = oscillations()
    estimator = make(cls, max_epochs=1).fit(1e-5 * X + 3, y)
    assert estimator.scale_ == pytest.approx((1e-5 * X).std(), rel=1e-6)


@every_estimator_of_signals
def test_two_dimensional_input_is_one_channel(cls):
    X, y = oscillations(n_chans=1)
    flat, deep = make(cls).fit(X[:, 0], y), make(cls).fit(X, y)
    np.testing.assert_array_equal(output(flat, X[:, 0]), output(deep, X))
    assert (flat.n_chans_, flat.n_times_, flat.n_features_in_) == (1, 96, 96)


@every_estimator
def test_one_trial_at_predict_time_is_predicted_as_among_others(cls):
    X, y = oscillations()
    estimator = make(cls).fit(X, y)
    together = output(estimator, X)
    alone = np.concatenate([output(estimator, x[None]) for x in X])
    np.testing.assert_array_equal(alone, together)


@every_estimator
def test_trials_of_many_batches_keep_their_order(cls):
    X, y = oscillations(n_trials=300, n_times=64)
    estimator = make(cls, max_epochs=1).fit(X, y)
    alone = np.concatenate([output(estimator, x[None]) for x in X])
    np.testing.assert_allclose(output(estimator, X), alone, atol=1e-5)


@every_estimator
@pytest.mark.parametrize(("n_chans", "n_times"), [(1, 1), (1, 7), (5, 2), (2, 33)])
def test_tiny_windows_fit_with_a_warning_at_most(cls, n_chans, n_times):
    X, y = oscillations(n_chans=n_chans, n_times=n_times)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        proba = output(make(cls).fit(X, y), X)
    assert np.isfinite(proba).all()


@every_estimator
def test_two_trials_are_enough_to_fit(cls):
    X, y = oscillations(n_trials=2)
    assert make(cls, batch_size="auto").fit(X, y).predict(X).shape == (2,)


@every_classifier_of_signals
def test_refit_on_another_shape(cls):
    estimator = make(cls)
    for n_chans, n_times, n_classes in ((3, 96, 2), (5, 120, 3)):
        X, y = oscillations(n_chans=n_chans, n_times=n_times, n_classes=n_classes)
        assert estimator.fit(X, y).predict_proba(X).shape == (len(X), n_classes)
        assert (estimator.n_chans_, estimator.n_times_) == (n_chans, n_times)


@every_estimator_of_signals
def test_other_channels_or_samples_at_predict_time_raise(cls):
    X, y = oscillations()
    estimator = make(cls, max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match=r"2 channels.*fitted with 3"):
        estimator.predict(X[:, :2])
    with pytest.raises(ValueError, match=r"95 samples.*fitted with 96"):
        estimator.predict(X[:, :, 1:])
    with pytest.raises(ValueError, match=r"1 channels.*fitted with 3"):
        estimator.predict(X[:, 0])


@every_estimator_of_signals
def test_channels_of_other_names_at_predict_time_raise(cls):
    X, y = oscillations()
    data = EEGData.from_arrays(X, y, 96, ["C3", "Cz", "C4"])
    estimator = make(cls, max_epochs=1).fit(data, y)
    assert estimator.ch_names_ == ("C3", "Cz", "C4")
    assert estimator.sfreq_ == 96
    other = EEGData.from_arrays(X, y, 96, ["C3", "C4", "Cz"])
    with pytest.raises(ValueError, match=r"Channel 1 of X is 'C4'.*'Cz'"):
        estimator.predict(other)
    estimator.predict(X)  # an array has no names to compare


@every_estimator_of_signals
@pytest.mark.parametrize("where", ["fit", "predict"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_raise_with_their_place(cls, where, value):
    X, y = oscillations()
    bad = X.copy()
    bad[5, 2, 7] = value
    data = EEGData.from_arrays(bad, y, 96, ["C3", "Cz", "C4"])
    kind = "NaN" if np.isnan(value) else "infinity"
    message = rf"{kind}: first in trial 5, channel 2 \(C4\), sample 7"
    estimator = make(cls, max_epochs=1)
    estimator.fit(EEGData.from_arrays(X, y, 96, ["C3", "Cz", "C4"]), y)
    with pytest.raises(ValueError, match=message):
        estimator.fit(data, y) if where == "fit" else estimator.predict(data)


@every_estimator
@pytest.mark.parametrize(
    ("trials", "message"),
    [
        (np.zeros((0, 3, 96)), "0 sample|empty"),
        (np.zeros((24, 0, 96)), "empty"),
        (np.zeros((24, 3, 0)), "empty"),
        (np.zeros(24), "1D array|2D"),
        (np.zeros((24, 1, 1, 3, 96)), "5 dimensions"),
        (np.full((24, 3, 96), 1j), "[Cc]omplex"),
        (np.full((24, 3, 4), "a"), "bytes/strings|could not convert"),
        ([np.zeros((3, 96))] * 23 + [np.zeros((3, 95))], "ragged"),
    ],
    ids=["no trial", "no channel", "no sample", "1-D", "5-D", "complex", "text", "ragged"],
)
def test_invalid_trials_raise(cls, trials, message):
    with pytest.raises(ValueError, match=message):
        make(cls).fit(trials, np.arange(24) % 2)


@every_classifier
def test_a_failed_refit_leaves_the_estimator_unfitted(cls):
    X, y = oscillations()
    estimator = make(cls, max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="one class"):
        estimator.fit(X[:, :2], np.zeros(len(X)))
    with pytest.raises(NotFittedError):
        estimator.predict(X)


@every_classifier
def test_unfitted_estimator_says_so(cls):
    X, _ = oscillations()
    with pytest.raises(NotFittedError):
        cls().predict(X)
    with pytest.raises(AttributeError, match="classes_"):
        cls().classes_  # noqa: B018


@every_estimator
def test_in_a_pipeline_with_nested_parameters(cls):
    X, y = oscillations()
    pipeline = make_pipeline(FunctionTransformer(np.negative), make(cls))
    name = cls.__name__.lower()
    pipeline.set_params(**{f"{name}__lr": 0.01, f"{name}__optimizer__eps": 1e-7})
    assert np.isfinite(pipeline.fit(X, y).score(X, y))
    assert pipeline.predict(X).shape == (24,)
    if cls in CLASSIFIERS:
        assert pipeline.score(X, y) >= 0
    assert pipeline[-1].optimizer_.param_groups[0]["eps"] == 1e-7


@every_estimator
def test_learns_a_separable_task(cls):
    X, y = oscillations(n_trials=80)
    if cls.__name__.startswith("ShallowConvNet"):  # its pool is longer than these trials
        X, y = oscillations(n_trials=80, n_times=160)
    estimator = make(cls, max_epochs=25, lr=3e-3).fit(X[:60], y[:60])
    assert estimator.score(X[60:], y[60:]) >= (0.9 if cls in CLASSIFIERS else 0.4)


# ---------------------------------------------------------------------- devices


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every_estimator
def test_moves_from_cuda_to_cpu_and_is_repeatable_there(cls, tmp_path):
    X, y = oscillations()
    estimator = make(cls, device="cuda").fit(X, y)
    assert next(estimator.module_.parameters()).is_cuda
    assert_same_weights(weights(estimator), weights(make(cls, device="cuda").fit(X, y)))
    state = estimator.__getstate__()
    assert not next(state["module_"].parameters()).is_cuda
    held = state["optimizer_"].param_groups[0]["params"][0]
    assert held is next(state["module_"].parameters())
    (tmp_path / "estimator.pkl").write_bytes(pickle.dumps(estimator))
    script = """
        import os, sys
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        import pickle, numpy as np
        estimator = pickle.load(open(sys.argv[1] + "/estimator.pkl", "rb"))
        assert estimator.device_ == "cpu"
        predict = getattr(estimator, "predict_proba", estimator.predict)
        np.save(sys.argv[1] + "/out.npy", predict(np.load(sys.argv[1] + "/X.npy")))
    """
    np.save(tmp_path / "X.npy", X)
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script), str(tmp_path)]
    subprocess.run(command, check=True)
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), output(estimator, X), atol=1e-3)
