"""An estimator that splits its training part keeps trials together, or is refused or marked."""

from __future__ import annotations

import json
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFECV, SequentialFeatureSelector
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    LassoCV,
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifierCV,
    RidgeCV,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    KFold,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, TargetEncoder
from skorch.callbacks import EarlyStopping
from skorch.dataset import ValidSplit

from skeeg import Comparison, EEGData, EEGNetClassifier, LeakageError, compare
from skeeg.cli.output import show
from skeeg.model_selection import LeaveSubjectsOut, Memoized, TrialKFold
from skeeg.model_selection._splitting_parts import splitting_parts


def flattened(trials):
    return np.asarray(trials).reshape(len(trials), -1)


def windows(n_trials=24, n_windows=4, *, continuous=False, **columns):
    """Return windows whose first value is the number of their trial."""
    trial = np.repeat(np.arange(n_trials), n_windows)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((len(trial), 2, 3))
    X[:, 0, 0] = trial
    y = rng.standard_normal(n_trials)[trial] if continuous else trial % 2
    return EEGData.from_arrays(X, y, 32, trial=trial, **columns)


@pytest.fixture
def data():
    return windows()


def run(estimator, data, **options):
    options = {"cv": TrialKFold(3), "random_state": 0, "progress": False} | options
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compare(
            {"nested": make_pipeline(FunctionTransformer(flattened), estimator)}, data, **options
        )


@pytest.fixture
def no_jobs(monkeypatch):
    """Make the first job an error."""

    def started(*args):
        raise AssertionError("a job was started")

    monkeypatch.setattr(sys.modules[compare.__module__], "run_jobs", started)


class Spy(GroupKFold):
    """Note the groups of both sides of each split, and the trials, which are the first feature."""

    seen: list[tuple[np.ndarray, np.ndarray]] = []

    def split(self, X, y=None, groups=None):
        for train, test in super().split(X, y, groups):
            if np.any(X):  # not before the first job
                trials = X[:, 0] if X.shape[1] == 6 else groups
                pairs = set(zip(groups.tolist(), trials.tolist(), strict=True))
                assert len(pairs) == len(np.unique(groups)) == len(np.unique(trials))
                Spy.seen.append((groups[train], groups[test]))
            yield train, test


LR = LogisticRegression
EARLY = [
    MLPClassifier(early_stopping=True),
    SGDClassifier(early_stopping=True),
    Perceptron(early_stopping=True),
    HistGradientBoostingClassifier(early_stopping=True),
    GradientBoostingClassifier(n_iter_no_change=3),
]
EARLY_REGRESSORS = [
    MLPRegressor(early_stopping=True),
    SGDRegressor(early_stopping=True),
    HistGradientBoostingRegressor(early_stopping=True),
    GradientBoostingRegressor(n_iter_no_change=3),
]
SPLITTING = {
    "grid": lambda cv: GridSearchCV(LR(), {"C": [1, 2]}, cv=cv),
    "random": lambda cv: RandomizedSearchCV(LR(), {"C": [1, 2]}, n_iter=2, cv=cv),
    "halving grid": lambda cv: HalvingGridSearchCV(LR(), {"C": [1, 2]}, cv=cv),
    "halving random": lambda cv: HalvingRandomSearchCV(LR(), {"C": [1, 2]}, cv=cv),
    "halving on iterations": lambda cv: HalvingGridSearchCV(
        LR(), {"C": [1, 2]}, cv=cv, resource="max_iter", max_resources=4
    ),
    "rfecv": lambda cv: RFECV(LR(), cv=cv, min_features_to_select=5),
    "selection": lambda cv: make_pipeline(
        SequentialFeatureSelector(LR(), n_features_to_select=1, cv=cv), LR()
    ),
    "logistic": lambda cv: LogisticRegressionCV(
        Cs=2, cv=cv, l1_ratios=(0,), use_legacy_attributes=False
    ),
    "ridge": lambda cv: RidgeClassifierCV(cv=cv),
    "calibrated": lambda cv: CalibratedClassifierCV(LR(), cv=cv),
    "threshold": lambda cv: TunedThresholdClassifierCV(LR(), cv=cv),
    "stacking": lambda cv: StackingClassifier([("lr", LR())], cv=cv),
    "voting": lambda cv: VotingClassifier([("grid", GridSearchCV(LR(), {"C": [1]}, cv=cv))]),
    "one against the rest": lambda cv: OneVsRestClassifier(GridSearchCV(LR(), {"C": [1]}, cv=cv)),
    "bagging": lambda cv: BaggingClassifier(GridSearchCV(LR(), {"C": [1]}, cv=cv), n_estimators=2),
    "nested": lambda cv: GridSearchCV(
        GridSearchCV(LR(), {"C": [1]}, cv=cv), {"estimator__tol": [1e-3]}, cv=3
    ),
    "candidate": lambda cv: GridSearchCV(
        GridSearchCV(LR(), {"C": [1]}), {"cv": [cv], "estimator": [LR(), LR(tol=1e-3)]}
    ),
    "memoized": lambda cv: Memoized(GridSearchCV(LR(), {"C": [1]}, cv=cv)),
    "target encoder": lambda cv: make_pipeline(TargetEncoder(cv=cv), LR()),
}  # fmt: skip


@pytest.mark.parametrize("name", SPLITTING)
def test_each_estimator_with_a_cv_gets_the_trials(name, data):
    Spy.seen.clear()
    run(SPLITTING[name](Spy(3)), data, cv=[(np.arange(72), np.arange(72, 96))])
    assert Spy.seen
    for train, test in Spy.seen:
        assert not np.intersect1d(train, test).size


@pytest.mark.parametrize("cv", [None, 3])
@pytest.mark.parametrize(
    "make",
    [
        lambda cv: LassoCV(cv=cv, alphas=3),
        lambda cv: RidgeCV(cv=cv),
        lambda cv: StackingRegressor([("ridge", RidgeCV([1.0]))], cv=cv),
    ],
)
def test_regressors_with_a_cv_split_whole_trials(make, cv, monkeypatch):
    seen = []
    split = TrialKFold.split

    def noted(self, X, y=None, groups=None):
        for train, test in split(self, X, y, groups):
            seen.append(np.intersect1d(groups[train], groups[test]).size)
            yield train, test

    estimator = make(cv)
    if isinstance(estimator, StackingRegressor):
        estimator.estimators = [("ridge", SGDRegressor())]
    outer = [(np.arange(72), np.arange(72, 96))]
    monkeypatch.setattr(TrialKFold, "split", noted)
    run(estimator, windows(continuous=True), cv=outer)
    assert set(seen) == {0}


@pytest.mark.parametrize("wrap", [
    lambda e: e,
    lambda e: GridSearchCV(e, {"random_state": [0]}),
    lambda e: GridSearchCV(make_pipeline(LR()), {"logisticregression": [LR(), e]}),
    lambda e: VotingClassifier([("first", LR()), ("second", e)]),
    lambda e: BaggingClassifier(e),
    lambda e: make_pipeline(FunctionTransformer(), e),
], ids=["bare", "search", "candidate", "voting", "bagging", "pipeline"])  # fmt: skip
@pytest.mark.parametrize("early", EARLY, ids=lambda e: type(e).__name__)
def test_early_stopping_that_divides_trials_is_refused_before_the_first_job(
    early, wrap, data, no_jobs
):
    name = type(early).__name__
    with pytest.raises(LeakageError, match=rf"'nested'.*{name}\(.*Set .*=(False|None), or use"):
        run(wrap(early), data)


@pytest.mark.parametrize("early", EARLY_REGRESSORS, ids=lambda e: type(e).__name__)
def test_early_stopping_of_regressors_is_refused(early, no_jobs):
    with pytest.raises(LeakageError, match=type(early).__name__):
        run(early, windows(continuous=True))


def test_a_grid_that_switches_early_stopping_on_is_refused(data, no_jobs):
    grid = {"early_stopping": [False, True]}
    with pytest.raises(LeakageError, match=r"MLPClassifier\(early_stopping=True\), a candidate"):
        run(GridSearchCV(MLPClassifier(), grid), data)


@pytest.mark.parametrize("harmless", [
    MLPClassifier(max_iter=1),
    MLPClassifier(early_stopping=True, solver="lbfgs", max_iter=2),
    HistGradientBoostingClassifier(max_iter=1),
    HistGradientBoostingClassifier(max_iter=1, early_stopping=True, validation_fraction=None),
    GradientBoostingClassifier(n_estimators=1),
], ids=repr)  # fmt: skip
def test_estimators_that_set_no_rows_aside_are_fitted(harmless, data):
    assert not run(harmless, data).leakage


def test_automatic_early_stopping_depends_on_the_rows_as_in_scikit_learn(no_jobs):
    few, many = windows(5001, 3), windows(5004, 3)  # two of three folds: 10,002 and 10,008 rows
    fewer = [(np.arange(10_000), np.arange(10_002, 15_003))]
    with pytest.raises(AssertionError, match="a job was started"):
        run(HistGradientBoostingClassifier(), few, cv=fewer)
    with pytest.raises(LeakageError, match="early_stopping='auto'"):
        run(HistGradientBoostingClassifier(), many)


def test_one_row_for_each_trial_may_be_set_aside():
    trials = windows(24, 1)
    assert not run(MLPClassifier(early_stopping=True, max_iter=2), trials).leakage
    assert not run(GridSearchCV(LR(), {"C": [1]}, cv=KFold(3)), trials).leakage


@pytest.mark.parametrize("nested", [
    AdaBoostClassifier(GridSearchCV(LR(), {"C": [1]})),
    BaggingClassifier(StackingClassifier([("lr", LR())])),
    StackingClassifier([("grid", GridSearchCV(LR(), {"C": [1]}))]),
    StackingClassifier([("lr", LR())], final_estimator=LogisticRegressionCV()),
    TunedThresholdClassifierCV(LR(), cv=0.3),
    GridSearchCV(LR(), {"C": [1]}, cv=KFold(3, shuffle=True, random_state=0)),
], ids=["boosting", "bagging", "stacked", "final", "proportion", "shuffled"])  # fmt: skip
def test_what_the_trials_do_not_reach_is_refused_before_the_first_job(nested, data, no_jobs):
    with pytest.raises(LeakageError, match=r"'nested'.*\(cv=.*Pass an integer or TrialKFold"):
        run(nested, data)


def test_epochs_chosen_by_a_part_that_skorch_sets_aside_are_refused(data, no_jobs):
    by_row, by_group = ValidSplit(4), ValidSplit(GroupKFold(4))
    stop = {"callbacks": [("stop", EarlyStopping())], "train_split": by_row}
    with pytest.raises(LeakageError, match=r"EEGNetClassifier\(train_split=.*Set train_split=None"):
        run(EEGNetClassifier(**stop), data)
    for harmless in ({"train_split": by_row}, stop | {"train_split": by_group}):
        parts = splitting_parts(EEGNetClassifier(**harmless), len(data))
        assert [part.kind for part in parts] == ["groups"]


def test_fitted_parts_split_nothing(data):
    fitted = GridSearchCV(LR(), {"C": [1]}, cv=3).fit(flattened(data), data.y)
    assert not run(FrozenEstimator(fitted), data).leakage
    stack = StackingClassifier([("grid", fitted)], cv="prefit")
    assert splitting_parts(stack, len(data)) == []


def test_a_stack_of_networks_finds_the_trials_in_the_data(data, monkeypatch):
    seen = []
    split = EEGNetClassifier._validation_split

    def noted(self, y, groups, seed):
        train, valid = split(self, y, groups, seed)
        seen.append(np.intersect1d(groups[train], groups[valid]).size)
        return train, valid

    monkeypatch.setattr(EEGNetClassifier, "_validation_split", noted)
    stack = StackingClassifier([("net", EEGNetClassifier(max_epochs=1, early_stopping=True))], cv=2)
    trials = EEGData.from_arrays(np.tile(data.X, (1, 1, 11)), data.y, 32, metadata=data.metadata)
    compare({"stack": stack}, trials, cv=TrialKFold(2), random_state=0, progress=False)
    assert seen
    assert set(seen) == {0}


class EveryOther(ClassifierMixin, BaseEstimator):
    """Hold an estimator where ``get_params`` does not name it."""

    def __init__(self, members=()):
        self.members = members

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.zeros(len(X))


def test_estimators_in_lists_are_found(data, no_jobs):
    hidden = EveryOther(members=[("mlp", MLPClassifier(early_stopping=True))])
    with pytest.raises(LeakageError, match=r"MLPClassifier\(early_stopping=True\)"):
        run(hidden, data)


def test_inner_leakage_that_is_allowed_marks_every_output(data, tmp_path, capsys):
    early = SGDClassifier(early_stopping=True)
    comparison = run(early, data, allow_leakage=True)
    assert "Inner splits of 'nested' leak: SGDClassifier(early_stopping=True)" in (
        comparison.about.leakage
    )
    assert comparison.about.note == "leakage allowed"
    assert "SGDClassifier(early_stopping=True)" in repr(comparison)
    for frame in (comparison.scores, comparison.predictions, comparison.summary()):
        assert set(frame["note"]) == {"leakage allowed"}
    folder = comparison.save(tmp_path / "saved")
    saved = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    assert "SGDClassifier(early_stopping=True)" in json.dumps(saved)
    assert Comparison.load(folder).leakage == comparison.leakage
    html = comparison.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert html.count("Inner splits of") >= 2
    show(comparison)
    shown = " ".join(capsys.readouterr().out.split())
    assert "(leakage allowed)" in shown
    assert "SGDClassifier(early_stopping=True)" in shown


def test_allowed_leakage_keeps_what_can_be_kept(data):
    assert not run(GridSearchCV(LR(), {"C": [1]}), data, allow_leakage=True).leakage
    shuffled = GridSearchCV(LR(), {"C": [1]}, cv=KFold(3, shuffle=True, random_state=0))
    assert "KFold" in run(shuffled, data, allow_leakage=True).about.leakage


def test_inner_folds_across_subjects_are_of_whole_subjects():
    data = windows(24, 4, subject=np.repeat(np.arange(6), 16))
    seen = []

    class Noting(LogisticRegression):
        def fit(self, X, y):
            seen.append(np.unique(X[:, 0] // 4).size)  # four trials for each subject
            return super().fit(X, y)

    run(GridSearchCV(Noting(), {"C": [1]}), data, cv="cross-subject")
    assert seen == [4, 4, 4, 4, 4, 5] * 6
    seen.clear()
    outer = [(np.arange(80), np.arange(80, 96))]
    run(GridSearchCV(Noting(), {"C": [1]}, cv=LeaveSubjectsOut()), data, cv=outer)
    assert seen == [4, 4, 4, 4, 4, 5]
