"""Whatever scikit-learn scores with can score a comparison, under a name that is unique."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from mne.decoding import Vectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, get_scorer, make_scorer
from sklearn.pipeline import make_pipeline

from skeeg import Comparison, compare
from skeeg._identity import identify
from skeeg.evaluation import FoldError
from skeeg.evaluation.scoring import check_scoring
from skeeg.evaluation.tasks import Classification, Regression
from skeeg.model_selection import make_folds

CLASSIFICATION, REGRESSION = Classification(np.array([0, 1])), Regression(np.array([0.5, 1]))


def quiet(*args, **kwargs):
    return compare(*args, progress=False, **({"random_state": 0} | kwargs))


def macro_f1(y_true, y_pred):
    return f1_score(y_true, y_pred, average="macro")


def size_of_test(estimator, X, y):
    assert estimator.classes_ is not None
    assert X.y is y
    return len(X)


def above(threshold):
    def above_threshold(estimator, X, y):
        return np.mean(estimator.predict_proba(X).max(axis=1) > threshold)

    return above_threshold


class Shifted:
    def __init__(self, shift):
        self.shift = shift

    def __call__(self, estimator, X, y):
        return self.shift

    def method(self, estimator, X, y):
        return self.shift


# ---------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("scoring", "names"),
    [
        (None, ["accuracy", "balanced_accuracy", "roc_auc", "kappa"]),
        ("kappa", ["kappa"]),
        (["kappa", "accuracy", "kappa"], ["kappa", "accuracy"]),
        (("f1_macro", size_of_test), ["f1_macro", "size_of_test"]),
        (size_of_test, ["size_of_test"]),
        (make_scorer(f1_score, average="macro"), ["f1_score"]),
        ([Shifted(1)], ["Shifted"]),
        ({"acc": "accuracy", "f": lambda estimator, X, y: 1}, ["acc", "f"]),
        ({"accuracy": "accuracy"}, ["accuracy"]),
    ],
)
def test_scorers_are_names_callables_or_collections_of_them(scoring, names):
    assert [score.name for score in check_scoring(scoring, CLASSIFICATION)] == names


@pytest.mark.parametrize(
    ("scorer", "source"),
    [
        ("f1_macro", "f1_macro"),
        (size_of_test, "size_of_test"),
        (Shifted(1), "Shifted"),
        (make_scorer(macro_f1), "make_scorer(macro_f1, response_method='predict')"),
        (functools.partial(size_of_test), "partial"),
    ],
)
def test_sources_name_a_scorer_without_its_address(scorer, source):
    (score,) = check_scoring({"a": scorer}, CLASSIFICATION)
    assert score.source == source


def test_each_task_has_its_own_metrics():
    assert [score.name for score in check_scoring(None, REGRESSION)] == [
        *("r2", "mean_absolute_error", "pearson")
    ]
    builtin = check_scoring(["roc_auc"], CLASSIFICATION) + check_scoring(["r2"], REGRESSION)
    assert all(score.scorer is None for score in builtin)
    assert check_scoring("neg_log_loss", CLASSIFICATION)[0].scorer is not None


@pytest.mark.parametrize(
    ("scoring", "task", "message"),
    [
        ("acuracy", CLASSIFICATION, r"'acuracy'. Did you mean 'accuracy'\? There are accuracy, "),
        ("f1_makro", CLASSIFICATION, "Did you mean 'f1_macro'"),
        ("pearsson", REGRESSION, "Did you mean 'pearson'.*There are r2, mean_absolute_error"),
        ("r2", CLASSIFICATION, "'r2' is not a metric of a classification. There are accuracy"),
        ("accuracy", REGRESSION, "'accuracy' is not a metric of a regression. There are r2"),
        ([], CLASSIFICATION, "at least one metric, such as 'accuracy'"),
        ({}, REGRESSION, "at least one metric, such as 'r2'"),
        ([lambda estimator, X, y: 1], CLASSIFICATION, "A lambda has no name: pass a dict"),
        ([above(0.1), above(0.2)], CLASSIFICATION, "Two scorers are called 'above_threshold'"),
        ({"fold": "accuracy"}, CLASSIFICATION, "cannot be called 'fold'.*estimator, fold,"),
        ({3: "accuracy"}, CLASSIFICATION, "cannot be called 3"),
        ({"kappa": size_of_test}, CLASSIFICATION, "'kappa' is the name of a built-in metric"),
    ],
)
def test_names_that_are_no_metric_are_refused(scoring, task, message):
    with pytest.raises(ValueError, match=message):
        check_scoring(scoring, task)


@pytest.mark.parametrize("scoring", [3, [3], {"a": 3}])
def test_what_cannot_be_called_is_refused(scoring):
    with pytest.raises(TypeError, match=r"scoring must .*int"):
        check_scoring(scoring, CLASSIFICATION)


# ---------------------------------------------------------------------- values


@pytest.fixture
def lr():
    return make_pipeline(Vectorizer(), LogisticRegression())


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_scorers_are_given_the_fitted_estimator_and_the_test_part(make_data, lr, n_jobs):
    data = make_data()
    scoring = {"kappa": "kappa", "loss": "neg_log_loss", "f1": make_scorer(macro_f1)}
    scoring |= {"n": size_of_test, "certain": above(0.9), "acc": "accuracy"}
    comparison = quiet({"lr": lr}, data, scoring=scoring, n_jobs=n_jobs)
    assert comparison.about.metrics == tuple(scoring)
    columns = comparison.scores.columns.tolist()
    assert columns[3:9] == list(scoring)
    for (_, row), fold in zip(
        comparison.scores.iterrows(), make_folds("within-subject", data), strict=True
    ):
        fitted = lr.fit(data.X[fold.train], data.y[fold.train])
        test = data.X[fold.test], data.y[fold.test]
        assert row["loss"] == pytest.approx(get_scorer("neg_log_loss")(fitted, *test))
        assert row["f1"] == pytest.approx(macro_f1(test[1], fitted.predict(test[0])))
        assert row["certain"] == np.mean(fitted.predict_proba(test[0]).max(axis=1) > 0.9)
        assert row["acc"] == fitted.score(*test)
    assert (comparison.scores["n"] == comparison.scores["n_test"]).all()


def test_only_built_in_metrics_have_a_chance_level(make_data, lr):
    comparison = quiet({"lr": lr}, make_data(), scoring={"f1": "f1_macro", "acc": "accuracy"})
    assert set(comparison.about.chance) == {"acc"}
    assert comparison.summary("f1")["chance"].isna().all()
    assert (comparison.summary("acc")["chance"] == 0.5).all()
    assert "chance" not in repr(comparison)
    assert comparison.plot_scores("acc").axes[0].get_xlabel() == "Accuracy (share of trials)"
    assert comparison.plot_scores("f1").axes[0].get_xlabel() == "f1"


def test_saved_comparisons_remember_the_scorers(make_data, lr, tmp_path):
    scoring = {"loss": "neg_log_loss", "n": size_of_test, "acc": "accuracy"}
    comparison = quiet({"lr": lr}, make_data(), scoring=scoring)
    comparison.save(tmp_path)
    comparison.report(tmp_path / "report.html")
    loaded = Comparison.load(tmp_path)
    assert loaded.about == comparison.about
    assert loaded.about.scoring == {"loss": "neg_log_loss", "n": "size_of_test", "acc": "accuracy"}
    assert repr(loaded) == repr(comparison)
    with pytest.raises(ValueError, match=r"'kappa' was not computed; this comparison has loss, n"):
        loaded.summary("kappa")
    with pytest.raises(ValueError, match=r"Unknown metric 'los'. Did you mean 'loss'"):
        loaded.summary("los")


def test_a_scorer_that_is_not_finite_gives_a_warning(make_data, lr):
    def odd(estimator, X, y):
        return np.nan if X.metadata["run"].iloc[0] else np.inf

    message = (
        r"^lr: the scorer 'odd' is not finite in 4 of 4 folds: 'subject 1, run 0', .*, \.\.\.\.$"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        comparison = quiet({"lr": lr}, make_data(), scoring=[odd, "accuracy"])
    assert len(caught) == 1
    assert np.isnan(comparison.scores["odd"]).sum() == 2
    assert [kind for kind, *_ in comparison.figures()].count("scores") == 1


@pytest.mark.parametrize(
    ("scorer", "message"),
    [
        (lambda estimator, X, y: {"a": 1.0}, "the scorer 'bad' must return a number, got dict"),
        (lambda estimator, X, y: "high", "must return a number, got str: 'high'"),
        (lambda estimator, X, y: 1 / 0, "the scorer 'bad' raised ZeroDivisionError"),
        ("f1", "the scorer 'bad' raised ValueError: pos_label"),
    ],
)
def test_a_scorer_that_fails_is_named(make_data, lr, scorer, message):
    with pytest.raises(FoldError, match=f"^lr failed in fold 'subject 1, run 0'.*{message}"):
        quiet({"lr": lr}, make_data(), scoring={"bad": scorer})


# ---------------------------------------------------------------------- store


def test_scores_come_back_from_the_store_and_another_scorer_is_another_result(
    make_data, lr, tmp_path
):
    data = make_data(n_subjects=1)
    counts = []
    for scoring in (["accuracy", "f1_macro"], ["f1_macro", "kappa"], ["kappa"], {"a": above(0.5)}):
        first = quiet({"lr": lr}, data, scoring=scoring, store=tmp_path)
        again = quiet({"lr": lr}, data, scoring=scoring, store=tmp_path)
        assert again.scores.equals(first.scores)
        counts.append(len(list(tmp_path.glob("*.json"))))
    # The built-in metrics are computed from the predictions, which the store keeps.
    assert counts == [2, 2, 4, 6]
    quiet({"lr": lr}, data, scoring={"a": above(0.6)}, store=tmp_path)
    assert len(list(tmp_path.glob("*.json"))) == 8


@pytest.mark.parametrize(
    ("same", "other"),
    [
        ((above(0.1), above(0.1)), above(0.2)),
        ((Shifted(1).method, Shifted(1).method), Shifted(2).method),
        ((functools.partial(max, 1), functools.partial(max, 1)), functools.partial(max, 2)),
        ((make_scorer(max), make_scorer(max)), make_scorer(min)),
        ((get_scorer("r2"), get_scorer("r2")), get_scorer("accuracy")),
        ((Shifted(1), Shifted(1)), Shifted(2)),
    ],
)
def test_scorers_are_told_apart_by_all_that_they_hold(same, other):
    described = [identify(scorer) for scorer in (*same, other)]
    assert described[0] == described[1] != described[2]
