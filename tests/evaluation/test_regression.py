"""Regressors are compared like classifiers: same folds, tables, statistics, files and report."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from mne.decoding import Vectorizer
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from torch import nn

from skeeg import Comparison, EEGData, LeakageError, compare
from skeeg.estimators import EEGNetRegressor, ModuleRegressor
from skeeg.evaluation import FoldError
from skeeg.model_selection import TrialKFold, make_folds

TIMES = ["fit_time", "predict_time"]


def quiet(*args, **kwargs):
    return compare(*args, progress=False, **({"random_state": 0} | kwargs))


@pytest.fixture
def regressors():
    return {"mean": DummyRegressor(), "ridge": make_pipeline(Vectorizer(), Ridge(10.0))}


def test_scores_are_those_of_scikit_learn_in_each_fold(make_targets, regressors):
    data = make_targets()
    comparison = quiet(regressors, data)
    assert comparison.about.task == "regression"
    assert comparison.about.classes == ()
    assert comparison.scores.columns.tolist() == [
        *("estimator", "fold", "subject", "r2", "mean_absolute_error", "pearson"),
        *("fit_time", "predict_time", "n_train", "n_test", "n_parameters"),
    ]
    scores = comparison.scores.set_index(["estimator", "fold"])
    for fold in make_folds("within-subject", data):
        fitted = clone(regressors["ridge"]).fit(data.X[fold.train], data.y[fold.train])
        true, predicted = data.y[fold.test], fitted.predict(data.X[fold.test])
        row = scores.loc[("ridge", fold.name)]
        assert row["r2"] == pytest.approx(r2_score(true, predicted))
        assert row["mean_absolute_error"] == pytest.approx(mean_absolute_error(true, predicted))
        assert row["pearson"] == pytest.approx(np.corrcoef(true, predicted)[0, 1])
        own = comparison.predictions.query(f"estimator == 'ridge' and fold == {fold.name!r}")
        assert own["y_true"].tolist() == true.tolist()
        np.testing.assert_allclose(own["y_pred"], predicted)
    assert comparison.predictions.columns.tolist() == [
        *("estimator", "row", "fold", "subject", "y_true", "y_pred")
    ]


def test_the_mean_regressor_is_at_chance(make_targets, regressors):
    comparison = quiet(regressors, make_targets())
    for metric in ("r2", "mean_absolute_error"):
        summary = comparison.summary(metric)
        assert summary.loc["mean", "mean"] == pytest.approx(summary.loc["mean", "chance"])
    assert comparison.scores.query("estimator == 'mean'")["pearson"].isna().all()
    assert comparison.about.chance["pearson"].level == 0
    text = repr(comparison)
    assert text.startswith("<Comparison: 2 estimators on 12 folds, within-subject; r2, chance -0.")


def test_the_least_error_is_the_best(make_targets, regressors):
    comparison = quiet(regressors, make_targets(slope=1.0))
    for metric in ("r2", "mean_absolute_error", "pearson"):
        assert comparison.summary(metric).index.tolist() == ["ridge", "mean"], metric
    summary = comparison.summary("mean_absolute_error")
    assert (summary["reference"] == "ridge").all()
    assert summary.loc["mean", "p_value"] == 2 / 2**6  # six subjects, all of one sign


def test_targets_that_are_noise_are_not_predicted(make_targets):
    data = make_targets(n_subjects=1, n_trials=100, slope=0.0)
    comparison = quiet({"ridge": make_pipeline(Vectorizer(), Ridge(10.0))}, data)
    assert (comparison.scores["r2"] < 0.05).all()


def test_whole_numbers_are_targets_for_regressors_and_classes_for_classifiers(make_targets):
    floats = make_targets()
    ratings = EEGData.from_arrays(
        floats.X, np.clip(np.round(5 + 2 * floats.y), 1, 9).astype(int), 8, metadata=floats.metadata
    )
    comparison = quiet({"mean": DummyRegressor()}, ratings)
    assert comparison.about.task == "regression"
    assert comparison.predictions["y_true"].dtype == np.float64
    assert comparison.about.data["target"]["max"] == ratings.y.max()
    for cv in ("cross-subject", TrialKFold(3), 4):
        quiet({"mean": DummyRegressor()}, ratings, cv=cv)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_one_seed_gives_one_result_on_any_number_of_jobs(make_targets, regressors, n_jobs):
    data = make_targets()
    once, again = quiet(regressors, data), quiet(regressors, data, n_jobs=n_jobs)
    pd.testing.assert_frame_equal(once.scores.drop(columns=TIMES), again.scores.drop(columns=TIMES))
    pd.testing.assert_frame_equal(once.predictions, again.predictions)


def test_what_is_saved_comes_back_equal(make_targets, regressors, tmp_path):
    comparison = quiet(regressors, make_targets())
    comparison.save(tmp_path)
    loaded = Comparison.load(tmp_path)
    for name in ("scores", "predictions", "history"):
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(comparison, name))
    assert loaded.about == comparison.about
    assert repr(loaded) == repr(comparison)


def test_finished_folds_come_back_from_the_store(make_targets, regressors, tmp_path):
    data = make_targets()
    first = quiet(regressors, data, store=tmp_path)
    assert quiet(regressors, data, store=tmp_path).scores.equals(first.scores)
    path = sorted(tmp_path.glob("*.json"))[0]
    path.write_text(path.read_text().replace('"kind": "none"', '"kind": "proba"'))
    with pytest.warns(UserWarning, match="is damaged"):
        again = quiet(regressors, data, store=tmp_path)
    pd.testing.assert_frame_equal(again.predictions, first.predictions)


def test_figures_are_predictions_against_the_truth(make_targets, regressors):
    comparison = quiet(regressors, make_targets())
    kinds = [(kind, name) for kind, name, _ in comparison.figures()]
    assert kinds == [
        ("scores", "r2"), ("scores", "mean_absolute_error"), ("scores", "pearson"),
        ("paired_scores", "r2"), ("predictions", "ridge"), ("predictions", "mean"),
    ]  # fmt: skip
    own = comparison.predictions.query("estimator == 'ridge'")
    dots = comparison.plot_predictions("ridge").axes[0].collections[0].get_offsets()
    np.testing.assert_array_equal(dots, own[["y_true", "y_pred"]])
    with pytest.raises(ValueError, match="is a regression, without classes to confuse: use plot_p"):
        comparison.plot_confusion("ridge")
    with pytest.raises(ValueError, match="is a regression, without classes"):
        comparison.by_class()


def test_a_classification_has_no_predictions_to_plot(make_data):
    comparison = quiet({"guess": DummyClassifier()}, make_data())
    with pytest.raises(ValueError, match=r"is a classification, without .* plot_confusion"):
        comparison.plot_predictions("guess")
    assert [kind for kind, *_ in comparison.figures()][-1] == "confusion"


def test_the_report_says_what_chance_is_and_has_no_classes(make_targets, regressors, tmp_path):
    page = quiet(regressors, make_targets()).report(tmp_path / "report.html").read_text("utf-8")
    assert "Chance: the mean of the training targets" in page
    assert "Predictions: ridge" in page
    assert "Mean absolute error" in page
    assert "Confusion" not in page
    assert "<th>precision</th>" not in page


@pytest.fixture
def networks():
    """Networks of two architectures, beside a linear model."""
    lengths = {"kernel_length": 4}
    return {
        "eegnet": EEGNetRegressor(max_epochs=2, device="cpu", early_stopping=True, **lengths),
        "linear": ModuleRegressor(module=Linear, lr=0.02, max_epochs=30, device="cpu"),
        "ridge": make_pipeline(Vectorizer(), Ridge(10.0)),
    }


class Linear(nn.Sequential):
    def __init__(self, n_chans, n_times, n_outputs):
        super().__init__(nn.Flatten(), nn.Linear(n_chans * n_times, n_outputs))


@pytest.mark.filterwarnings("ignore:.*the length is clipped:UserWarning")
def test_networks_are_compared_with_baselines(make_targets, networks, tmp_path):
    data = make_targets(n_subjects=1, n_trials=20, slope=3.0)
    comparison = quiet(networks, data)
    scores = comparison.scores.set_index("estimator")
    assert (scores.loc["linear", "n_parameters"] == 3 * 8 + 1).all()
    for name in ("linear", "ridge"):
        assert (scores.loc[name, "r2"] > 0.7).all()
    for fold in make_folds("within-subject", data):
        own = comparison.predictions.query(f"estimator == 'linear' and fold == {fold.name!r}")
        assert own["row"].tolist() == fold.test.tolist()
        assert own["y_true"].tolist() == data.y[fold.test].tolist()
        for metric, scorer in (("r2", r2_score), ("mean_absolute_error", mean_absolute_error)):
            (row,) = comparison.scores.query(
                f"estimator == 'linear' and fold == {fold.name!r}"
            ).to_dict("records")
            assert row[metric] == pytest.approx(scorer(own["y_true"], own["y_pred"]))
    comparison.save(tmp_path / "saved")
    loaded = Comparison.load(tmp_path / "saved")
    pd.testing.assert_frame_equal(loaded.history, comparison.history)
    pd.testing.assert_frame_equal(loaded.predictions, comparison.predictions)
    page = comparison.report(tmp_path / "report.html").read_text("utf-8")
    assert "Training" in page
    assert "Predictions: eegnet" in page


@pytest.mark.filterwarnings("ignore:.*the length is clipped:UserWarning")
def test_learning_curves_have_the_absolute_error(make_targets, networks):
    data = make_targets(n_subjects=1)
    comparison = quiet(networks, data)
    assert comparison.history.columns.tolist() == [
        *("estimator", "fold", "epoch", "train_loss", "train_mae", "valid_loss", "valid_mae")
    ]
    assert set(comparison.history["estimator"]) == {"eegnet", "linear"}
    linear = comparison.history.query("estimator == 'linear'")
    assert linear["valid_mae"].isna().all()
    errors = linear.pivot_table(index="epoch", columns="fold", values="train_mae")
    assert (errors.loc[30] < errors.loc[1]).all()
    assert (errors.loc[1] > 0.1 * data.y.std()).all()
    panels = comparison.plot_history("eegnet").axes
    assert [axes.get_ylabel() for axes in panels] == ["Loss", "Mean absolute error"]
    labels = [line.get_label() for line in panels[1].lines if "mean" in line.get_label()]
    assert labels == ["training, mean of 2 folds", "validation, mean of 2 folds"]


# ---------------------------------------------------------------------- refusals


def test_classifiers_and_regressors_do_not_mix(make_targets):
    mixed = {"a": DummyRegressor(), "b": DummyClassifier()}
    with pytest.raises(ValueError, match=r"Classifiers \('b'\) and regressors \('a'\) cannot be"):
        quiet(mixed, make_targets())


def test_classifiers_are_refused_continuous_targets(make_targets):
    with pytest.raises(ValueError, match=r"targets are continuous .* 'csp-lda' predict classes"):
        quiet("csp-lda", make_targets())


def test_targets_of_several_columns_are_refused():
    with pytest.raises(ValueError, match=r"got shape \(4, 2\)\. Pass one column of targets"):
        EEGData.from_arrays(np.zeros((4, 2, 8)), np.zeros((4, 2)), 8)


def test_missing_and_constant_targets_are_refused(make_targets, regressors):
    data = make_targets()
    for value, message in (
        (np.nan, "label of trial 0 is missing"),
        (np.inf, "target of trial 0 is not finite"),
    ):
        data.y[0] = value
        with pytest.raises(ValueError, match=message):
            quiet(regressors, data)
    data.y[:] = 0.5
    with pytest.raises(ValueError, match=r"All targets are 0.5"):
        quiet(regressors, data)


def test_predictions_that_are_not_finite_are_an_error(make_targets):
    class Diverged(DummyRegressor):
        def predict(self, X):
            return np.full(len(X), np.nan)

    with pytest.raises(FoldError, match=r"net failed .* predictions are not finite: it diverged"):
        quiet({"net": Diverged()}, make_targets())


def test_a_test_part_of_one_trial_has_no_r2_and_a_warning(make_targets, regressors):
    data = make_targets(n_subjects=1)
    splits = [(np.arange(1, len(data)), [0])]
    with pytest.warns(UserWarning, match=r"R² and Pearson's correlation are undefined \(NaN\)"):
        comparison = quiet(regressors, data, cv=splits)
    assert comparison.scores["r2"].isna().all()
    assert comparison.scores["mean_absolute_error"].notna().all()


def test_splits_that_leak_are_refused(make_targets, regressors):
    data = make_targets(n_subjects=1)
    data.metadata["trial"] //= 2
    with pytest.raises(LeakageError, match="trials on both sides"):
        quiet(regressors, data, cv=[(np.arange(0, len(data), 2), np.arange(1, len(data), 2))])
    quiet(regressors, data, cv=GroupKFold(3), groups="trial")


def test_a_stratified_splitter_says_that_it_needs_classes(make_targets, regressors):
    with pytest.raises(ValueError, match="Supported target types are"):
        quiet(regressors, make_targets(), cv=StratifiedKFold(3))


def test_targets_of_single_precision_score_alike(make_targets, regressors):
    data = make_targets()
    expected = quiet(regressors, data).scores["r2"]
    again = EEGData(data.X, data.y.astype(np.float32), 8.0, data.ch_names, data.metadata)
    np.testing.assert_allclose(quiet(regressors, again).scores["r2"], expected, atol=1e-5)
