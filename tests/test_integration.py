"""skeeg's classifiers beside what researchers already use: MNE, scikit-learn, MOABB."""

import mne
import numpy as np
import pytest
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skeeg import (
    DeepConvNetClassifier,
    EEGData,
    EEGNetClassifier,
    ModuleClassifier,
    ShallowConvNetClassifier,
)
from skeeg.model_selection import activation_grid

from .estimators.support import make, oscillations

pytestmark = pytest.mark.filterwarnings("ignore:.*is longer than:UserWarning")


@pytest.fixture
def epochs():
    """Epochs in volts with three EEG channels, a bad one, an EOG channel and metadata."""
    X, y = oscillations(n_chans=5)
    names = ["C3", "Cz", "C4", "Fp1", "EOG"]
    info = mne.create_info(names, 96.0, ["eeg"] * 4 + ["eog"])
    info["bads"] = ["Fp1"]
    events = np.column_stack([np.arange(24) * 200, np.zeros(24, int), y + 1])
    return mne.EpochsArray(
        X * 1e-5, info, events, event_id={"left": 1, "right": 2}, verbose="error"
    )


# ---------------------------------------------------------------------- MNE


def test_epochs_go_into_fit_and_predict(epochs):
    y = epochs.events[:, 2]
    estimator = make(EEGNetClassifier, kernel_length=32).fit(epochs, y)
    assert estimator.ch_names_ == ("C3", "Cz", "C4")
    assert estimator.sfreq_ == 96
    array = epochs.get_data(picks=["C3", "Cz", "C4"])
    expected = make(EEGNetClassifier, kernel_length=32).fit(array, y).predict_proba(array)
    np.testing.assert_array_equal(estimator.predict_proba(epochs), expected)
    np.testing.assert_array_equal(estimator.predict(epochs), estimator.predict(array))


def test_epochs_are_cross_validated_like_their_array(epochs):
    y = epochs.events[:, 2]
    array = epochs.get_data(picks=["C3", "Cz", "C4"])
    options = {"cv": 3, "scoring": "neg_log_loss"}
    np.testing.assert_array_equal(
        cross_val_score(make(EEGNetClassifier, kernel_length=32), epochs, y, **options),
        cross_val_score(make(EEGNetClassifier, kernel_length=32), array, y, **options),
    )


def test_epochs_with_other_channels_at_predict_time_are_refused(epochs):
    estimator = make(EEGNetClassifier).fit(epochs, epochs.events[:, 2])
    renamed = epochs.copy().rename_channels({"C3": "FC3"})
    with pytest.raises(ValueError, match=r"'FC3'.*fitted with 'C3'"):
        estimator.predict(renamed)


def test_epochs_without_a_good_eeg_channel_are_refused(epochs):
    epochs.info["bads"] = ["C3", "Cz", "C4", "Fp1"]
    with pytest.raises(ValueError, match="no good EEG channel"):
        make(EEGNetClassifier).fit(epochs, epochs.events[:, 2])


def test_mne_cross_val_multiscore_and_sliding_estimator(epochs):
    X, y = oscillations(n_times=20)
    estimator = make(EEGNetClassifier)
    scores = mne.decoding.cross_val_multiscore(estimator, X, y, cv=3, verbose="error")
    np.testing.assert_array_equal(scores, cross_val_score(estimator, X, y, cv=3))
    sliding = mne.decoding.SlidingEstimator(make(EEGNetClassifier, max_epochs=1), verbose="error")
    scores = mne.decoding.cross_val_multiscore(sliding, X[:, :, :3], y, cv=2, verbose="error")
    assert scores.shape == (2, 3)


def test_behind_an_mne_transformer(epochs):
    X, y = oscillations()
    pipeline = make_pipeline(mne.decoding.Scaler(scalings="median"), make(EEGNetClassifier))
    assert pipeline.fit(X, y).predict(X).shape == (24,)


# ---------------------------------------------------------------------- scikit-learn


@pytest.fixture
def data():
    X, y = oscillations(n_trials=36)
    labels = np.array(["left", "right"])[y]
    return EEGData.from_arrays(X, labels, 96, ["C3", "Cz", "C4"], subject=np.arange(36) // 6)


def test_eeg_data_is_x_everywhere(data):
    estimator = make(EEGNetClassifier, kernel_length=32)
    scores = cross_val_score(
        estimator, data, data.y, groups=data.groups("subject"), cv=GroupKFold(3)
    )
    expected = cross_val_score(
        estimator, data.X, data.y, groups=data.groups("subject"), cv=GroupKFold(3)
    )
    np.testing.assert_array_equal(scores, expected)
    search = GridSearchCV(estimator, {"dropout": [0.25, 0.5]}, cv=2).fit(data, data.y)
    assert search.best_estimator_.ch_names_ == ("C3", "Cz", "C4")
    train, test, y_train, _ = train_test_split(data, data.y, random_state=0)
    assert estimator.fit(train, y_train).predict(test).shape == (9,)
    assert cross_val_predict(estimator, data, data.y, cv=2).shape == (36,)


def test_search_over_activations_reads_plain_values_back(data):
    pipeline = make_pipeline(FunctionTransformer(np.asarray), make(EEGNetClassifier, max_epochs=1))
    grid = activation_grid(alphas=(0.1, 0.9), prefix="eegnetclassifier__")
    search = GridSearchCV(pipeline, grid, cv=2).fit(data, data.y)
    names = search.cv_results_["param_eegnetclassifier__activation"].tolist()
    assert all(isinstance(name, str) for name in names)
    tried = [
        (p["eegnetclassifier__activation"], p.get("eegnetclassifier__alpha"))
        for p in search.cv_results_["params"]
    ]
    assert ("elu", 0.1) in tried
    assert ("leaky_relu", 0.9) in tried
    assert ("relu", None) in tried
    assert all(
        alpha is None or type(alpha) is float
        for alpha in (p.get("eegnetclassifier__alpha") for p in search.cv_results_["params"])
    )
    assert len(tried) == len(set(tried)) == 9 + 2  # nine functions, two of them twice


def test_meta_estimators_take_the_classifiers(data):
    members = [
        ("eegnet", make(EEGNetClassifier)),
        ("shallow", make(ShallowConvNetClassifier)),
        ("deep", make(DeepConvNetClassifier)),
    ]
    for meta in (
        VotingClassifier(members, voting="soft"),
        VotingClassifier(members, voting="hard"),
        StackingClassifier(members[:2], LogisticRegression(), cv=2),
        CalibratedClassifierCV(members[0][1], cv=2),
    ):
        predicted = meta.fit(data.X, data.y).predict(data.X)
        assert set(predicted) <= {"left", "right"}


def test_permutation_test_learning_curve_and_halving_search(data):
    estimator = make(EEGNetClassifier, max_epochs=1)
    score, permuted, p_value = permutation_test_score(
        estimator, data, data.y, cv=2, n_permutations=2, random_state=0
    )
    assert 0 <= score <= 1
    assert len(permuted) == 2
    assert p_value > 0
    sizes, *_ = learning_curve(estimator, data, data.y, cv=2, train_sizes=[0.5, 1.0])
    assert sizes.tolist() == [9, 18]
    search = HalvingGridSearchCV(
        estimator,
        {"lr": [1e-3, 1e-2]},
        resource="max_epochs",
        max_resources=4,
        cv=2,
        random_state=0,
    ).fit(data.X, data.y)
    assert search.best_params_["max_epochs"] == 4


def test_groups_and_sample_weight_are_routed(data):
    seen = {}

    class Spy(EEGNetClassifier):
        def fit(self, X, y, sample_weight=None, groups=None):
            seen.update(sample_weight=sample_weight, groups=groups)
            return super().fit(X, y, sample_weight=sample_weight, groups=groups)

    weight = np.linspace(0.5, 2, len(data))
    groups = data.groups("subject")
    with config_context(enable_metadata_routing=True):
        estimator = make(Spy, early_stopping=True, max_epochs=1)
        estimator.set_fit_request(sample_weight=True, groups=True)
        estimator.set_score_request(sample_weight=False)
        cross_validate(
            make_pipeline(FunctionTransformer(np.asarray), estimator),
            data,
            data.y,
            cv=GroupKFold(2),
            params={"sample_weight": weight, "groups": groups},
        )
    assert len(seen["sample_weight"]) == len(seen["groups"]) == 18
    assert set(seen["sample_weight"]) <= set(weight)


def test_notebook_shows_the_diagram_of_scikit_learn():
    X, y = oscillations()
    estimator = make(ModuleClassifier)
    assert "Not fitted" in estimator._repr_html_()
    html = estimator.fit(X, y)._repr_html_()
    assert "Not fitted" not in html
    assert "sk-estimator" in html


# ---------------------------------------------------------------------- MOABB


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "protocol", ["WithinSessionEvaluation", "CrossSessionEvaluation", "CrossSubjectEvaluation"]
)
def test_moabb_evaluates_the_classifiers(protocol, tmp_path, monkeypatch):
    import moabb
    import moabb.evaluations
    from moabb.datasets.fake import FakeDataset
    from moabb.paradigms import LeftRightImagery

    monkeypatch.setenv("MNE_DATA", str(tmp_path))
    moabb.set_log_level("error")
    dataset = FakeDataset(
        event_list=["left_hand", "right_hand"],
        paradigm="imagery",
        n_subjects=2,
        n_sessions=2,
        n_runs=1,
        seed=1,
    )
    evaluation = getattr(moabb.evaluations, protocol)(
        paradigm=LeftRightImagery(tmax=1.0, resample=64),
        datasets=[dataset],
        hdf5_path=str(tmp_path),
        random_state=0,
        overwrite=True,
    )
    results = evaluation.process(
        {"EEGNet": make(EEGNetClassifier, max_epochs=2), "Shallow": make(ShallowConvNetClassifier)}
    )
    assert set(results["pipeline"]) == {"EEGNet", "Shallow"}
    assert results["score"].between(0, 1).all()
