"""A Comparison summarises, prints, and comes back from its files as it was."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from skeeg import Comparison, compare
from skeeg.evaluation import About, Chance, holm, paired_p_value


def made(labels=("left", "right"), n_subjects=6, **changes):
    """A comparison of three estimators with known scores."""
    rng = np.random.default_rng(0)
    names, folds = ["low", "high", "middle"], [f"subject {i}" for i in range(n_subjects)]
    subjects = pd.array(range(n_subjects), dtype="Int64")
    scores = pd.concat(
        [
            pd.DataFrame(
                {
                    "estimator": name,
                    "fold": folds,
                    "subject": subjects,
                    "accuracy": rng.normal(mean, 0.05, n_subjects),
                    "roc_auc": np.nan,
                    "fit_time": 2.0,
                    "predict_time": 0.5,
                    "n_train": 10,
                    "n_test": 2,
                    "n_parameters": pd.array([size] * n_subjects, dtype="Int64"),
                }
            )
            for name, mean, size in zip(names, [0.5, 0.9, 0.7], [None, 1778, None], strict=True)
        ],
        ignore_index=True,
    )
    n_rows = len(scores) * 2
    predictions = pd.DataFrame(
        {
            "estimator": np.repeat(scores["estimator"], 2).to_numpy(),
            "row": np.tile(np.arange(2 * n_subjects), 3),
            "fold": np.repeat(scores["fold"], 2).to_numpy(),
            "subject": np.repeat(scores["subject"].to_numpy(), 2),
            "y_true": np.array(labels)[np.arange(n_rows) % 2],
            "y_pred": np.array(labels)[rng.integers(2, size=n_rows)],
            "proba_a": rng.random(n_rows),
            "decision_a": np.where(np.arange(n_rows) < 5, np.nan, 1 / 3),
        }
    )
    history = pd.DataFrame(
        {
            "estimator": "high",
            "fold": np.repeat(folds, 3),
            "epoch": np.tile([1, 2, 3], n_subjects),
            "train_loss": rng.random(3 * n_subjects),
            "train_acc": rng.random(3 * n_subjects),
            "valid_loss": np.nan,
            "valid_acc": np.nan,
        }
    )
    about = About(
        metrics=("accuracy", "roc_auc"),
        classes=tuple(np.array(labels).tolist()),
        protocol="cross-subject",
        n_folds=n_subjects,
        random_state=3,
        chance={"accuracy": Chance(0.5, 0.75), "roc_auc": Chance(0.5)},
        estimators=dict.fromkeys(names, "Estimator()"),
        data={"n_trials": 2 * n_subjects, "ch_names": ["C3", "C4"]},
        environment={"python": "3"},
        date="2026-01-01T00:00:00+00:00",
    )
    return Comparison(scores, predictions, history, dataclasses.replace(about, **changes))


def assert_equal(a, b):
    for name in ("scores", "predictions", "history"):
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name))
    assert a.about == b.about


# ---------------------------------------------------------------------- summary


def test_the_summary_is_mean_and_spread_over_subjects_the_best_first():
    comparison = made()
    summary = comparison.summary()
    assert summary.index.tolist() == ["high", "middle", "low"]
    by_hand = comparison.scores.groupby("estimator")["accuracy"]
    np.testing.assert_allclose(summary["mean"], by_hand.mean()[summary.index])
    np.testing.assert_allclose(summary["std"], by_hand.std(ddof=1)[summary.index])
    assert (summary["n"] == 6).all()
    assert (summary["unit"] == "subject").all()
    assert (summary["chance"] == 0.5).all()
    assert (summary["chance_upper"] == 0.75).all()
    assert summary["n_parameters"].tolist() == [1778, pd.NA, pd.NA]
    assert (summary["fit_time"] == 2.0).all()


@pytest.mark.parametrize("test", ["permutation", "wilcoxon"])
def test_the_summary_tests_each_against_the_reference(test):
    comparison = made()
    paired = comparison.scores.pivot(index="fold", columns="estimator", values="accuracy")
    summary = comparison.summary(reference="low", test=test)
    assert (summary["reference"] == "low").all()
    assert np.isnan(summary.loc["low", "p_value"])
    p = [paired_p_value(paired["low"], paired[name], test) for name in ("high", "middle")]
    np.testing.assert_allclose(summary.loc[["high", "middle"], "p_value"], p)
    np.testing.assert_allclose(summary.loc[["high", "middle"], "p_holm"], holm(p))


def test_few_units_have_no_p_value():
    assert made(n_subjects=2).summary()["p_value"].isna().all()
    assert made(n_subjects=4).summary()["unit"].eq("fold").all()


def test_an_undefined_metric_is_nan_and_nothing_fails():
    summary = made().summary("roc_auc")
    assert summary["mean"].isna().all()
    assert (summary["n"] == 0).all()


def test_unknown_names_are_refused():
    comparison = made()
    with pytest.raises(ValueError, match="'kappa' was not computed; this comparison has accuracy"):
        comparison.summary("kappa")
    with pytest.raises(ValueError, match=r"Unknown metric 'acc'"):
        comparison.summary("acc")
    with pytest.raises(ValueError, match="No estimator is called 'eegnet'"):
        comparison.summary(reference="eegnet")
    with pytest.raises(ValueError, match="test must be"):
        comparison.summary(test="t")


def test_the_repr_is_the_result():
    text = repr(made())
    assert text.startswith("<Comparison: 3 estimators on 6 folds, cross-subject; accuracy, chance")
    high = made().summary().loc["high"]
    assert f"high    {high['mean']:.3f} ± {high['std']:.3f}" in text


# ---------------------------------------------------------------------- figures


def test_figures_are_made_without_pyplot():
    import matplotlib.pyplot as plt

    comparison = made()
    before = plt.get_fignums()
    figures = (
        comparison.plot_scores(),
        comparison.plot_confusion("low"),
        comparison.plot_history("high"),
    )
    assert all(isinstance(figure, Figure) for figure in figures)
    assert plt.get_fignums() == before


def test_figures_of_what_is_not_there_are_refused():
    comparison = made()
    with pytest.raises(ValueError, match=r"'low' has no training history.*: high\."):
        comparison.plot_history("low")
    with pytest.raises(ValueError, match="No estimator is called 'net'"):
        comparison.plot_confusion("net")
    with pytest.raises(ValueError, match="no roc_auc to plot"):
        comparison.plot_scores("roc_auc")


# ---------------------------------------------------------------------- files

LABELS = [
    ("left", "right"),
    (1, 2),
    (True, False),
    (0.1, 1 / 3),
    ("", "NA"),
    ("1", "2"),
    ("é,", '"'),
]


@pytest.mark.parametrize("labels", LABELS)
def test_what_is_saved_comes_back_equal(tmp_path, labels):
    comparison = made(labels)
    assert comparison.save(tmp_path / "new" / "folder") == tmp_path / "new" / "folder"
    assert_equal(comparison, Comparison.load(tmp_path / "new" / "folder"))


def test_a_real_comparison_comes_back_equal(make_data, estimators, tmp_path):
    for data in (make_data(), make_data(n_subjects=1)):
        comparison = compare(estimators, data, random_state=0, progress=False)
        comparison.save(tmp_path, overwrite=True)
        assert_equal(comparison, Comparison.load(tmp_path))


def test_subjects_may_be_names_or_unknown(make_data, estimators, tmp_path):
    data = make_data()
    named = type(data).from_arrays(
        data.X, data.y, 8, subject=np.where(data.metadata["subject"] == 1, "NA", "S4b")
    )
    unknown = type(data).from_arrays(data.X, data.y, 8)
    for changed, subjects in ((named, {"NA", "S4b"}), (unknown, set())):
        comparison = compare(estimators, changed, random_state=0, progress=False)
        comparison.save(tmp_path, overwrite=True)
        loaded = Comparison.load(tmp_path)
        assert_equal(comparison, loaded)
        assert set(loaded.scores["subject"].dropna()) == subjects


def test_saving_again_replaces_the_files(tmp_path):
    made(n_subjects=8).save(tmp_path)
    with pytest.raises(FileExistsError, match=r"comparison of other data.*overwrite=True"):
        made().save(tmp_path)
    assert_equal(made(n_subjects=8), Comparison.load(tmp_path))
    made().save(tmp_path, overwrite=True)
    assert_equal(made(), Comparison.load(tmp_path))
    made(protocol="another").save(tmp_path)
    assert Comparison.load(tmp_path).about.protocol == "another"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("comparison.json", "history.csv", "predictions.csv", "scores.csv")
    ]


def test_the_json_is_strict_and_holds_the_summary(tmp_path):
    made().save(tmp_path)

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    document = json.loads((tmp_path / "comparison.json").read_text(), parse_constant=refuse)
    assert document["about"]["random_state"] == 3
    assert [row["estimator"] for row in document["summary"]["accuracy"]] == [
        "high",
        "middle",
        "low",
    ]
    assert document["note"] == ""


@pytest.mark.parametrize(
    "name", ["comparison.json", "scores.csv", "predictions.csv", "history.csv"]
)
def test_a_missing_file_is_named(tmp_path, name):
    made().save(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} does not exist"):
        Comparison.load(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Comparison.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["scores.csv", "predictions.csv", "history.csv"])
def test_a_truncated_or_edited_table_is_noticed(tmp_path, name):
    made().save(tmp_path)
    content = (tmp_path / name).read_bytes()
    for damaged in (content[:-40], content.replace(b"subject 1", b"subject 2", 1), b""):
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(ValueError, match=f"{name} does not match the checksum"):
            Comparison.load(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"format": "other"}', b'{"format": "skeeg.Comparison"}', b"\xff"],
)
def test_a_damaged_json_is_noticed(tmp_path, content):
    made().save(tmp_path)
    (tmp_path / "comparison.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"comparison\.json cannot be read as a comparison"):
        Comparison.load(tmp_path)


def test_classes_have_confusion_precision_recall_and_f1():
    comparison = made()
    predictions = pd.DataFrame(
        {
            "estimator": "high",
            "y_true": ["left"] * 4 + ["right"] * 6,
            "y_pred": ["left"] * 3 + ["right"] + ["left"] * 2 + ["right"] * 4,
        }
    )
    table = dataclasses.replace(comparison, predictions=predictions).by_class()
    left, right = (row for _, row in table.iterrows())
    assert (left["class"], left["n"], left["predicted_left"], left["predicted_right"]) == (
        *("left", 4), *(3, 1),
    )  # fmt: skip
    assert left["precision"] == pytest.approx(3 / 5)
    assert left["recall"] == pytest.approx(3 / 4)
    assert left["f1"] == pytest.approx(2 * 3 / (5 + 4))
    assert right["f1"] == pytest.approx(2 * 4 / (5 + 6))
    assert "note" not in table


def test_classes_never_predicted_score_0_and_leakage_is_marked():
    comparison = made()
    always = comparison.predictions.assign(y_pred="left")
    about = dataclasses.replace(comparison.about, leakage="The split leaks: ...")
    table = dataclasses.replace(comparison, predictions=always, about=about).by_class()
    assert len(table) == 3 * 2
    right = table[table["class"] == "right"]
    assert (right[["precision", "recall", "f1", "predicted_right"]] == 0).all(axis=None)
    assert set(table["note"]) == {"leakage allowed"}


def mutated(content, rng):
    """Return content with one edit: a byte, a cut, a repetition or a swap of two lines."""
    at = int(rng.integers(len(content)))
    kind = rng.integers(5)
    if kind == 0:
        return content[:at] + bytes([content[at] ^ 1 << int(rng.integers(8))]) + content[at + 1 :]
    if kind == 1:
        return content[:at]
    if kind == 2:
        return content[:at] + content[at + int(rng.integers(1, 40)) :]
    if kind == 3:
        return content[:at] + content[at // 2 : at] + content[at:]
    lines = content.splitlines(keepends=True)
    i, j = rng.integers(len(lines), size=2)
    lines[i], lines[j] = lines[j], lines[i]
    return b"".join(lines)


def load_changed(folder, expected):
    """Load a comparison; one that is equal, as after a change of white space, counts as refused."""
    assert_equal(Comparison.load(folder), expected)
    raise ValueError(", ".join(map(str, folder.iterdir())))


@pytest.mark.parametrize("n", [150, pytest.param(1_200, marks=pytest.mark.slow)])
def test_no_changed_file_loads_as_something_else(tmp_path, n):
    comparison = made(leakage="The split leaks: ...")
    comparison.save(tmp_path)
    rng = np.random.default_rng(n)
    names = ["comparison.json", "scores.csv", "predictions.csv", "history.csv"]
    for i in range(n):
        path = tmp_path / names[i % 4]
        content = path.read_bytes()
        path.write_bytes(mutated(content, rng))
        with pytest.raises(ValueError, match=re.escape(str(path))):
            load_changed(tmp_path, comparison)
        path.write_bytes(content)


def test_an_edited_remark_on_leakage_is_noticed(tmp_path):
    made(leakage="The split leaks: ...").save(tmp_path)
    path = tmp_path / "comparison.json"
    document = json.loads(path.read_text())
    document["about"]["leakage"] = document["note"] = ""
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"comparison\.json .*not what was saved"):
        Comparison.load(tmp_path)


def test_a_full_disk_leaves_the_saved_comparison_whole(tmp_path, monkeypatch):
    made().save(tmp_path)
    real = Path.write_bytes

    def full(path, content):
        if "history" in path.name:
            raise OSError(28, "No space left on device")
        return real(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        made(protocol="another").save(tmp_path)
    assert_equal(made(), Comparison.load(tmp_path))
    assert len(list(tmp_path.iterdir())) == 4


# ---------------------------------------------------------------------- hostile labels


def test_labels_that_are_formulas_come_back_and_are_shown(tmp_path):
    labels = (r"$\foo{$", "=cmd|'/C calc'!A0")
    comparison = made(labels)
    names = {"low": "@SUM(A1)", "high": "'-x", "middle": "+a\r=b"}
    for frame in (comparison.scores, comparison.predictions, comparison.history):
        frame["estimator"] = frame["estimator"].replace(names)
    estimators = dict.fromkeys(names.values(), "Estimator()")
    comparison = dataclasses.replace(
        comparison, about=dataclasses.replace(comparison.about, estimators=estimators)
    )
    comparison.save(tmp_path)
    assert_equal(Comparison.load(tmp_path), comparison)
    written = (tmp_path / "predictions.csv").read_text()
    assert ",=cmd" not in written
    assert ",'=cmd" in written or "\"'=cmd" in written
    report = comparison.report(tmp_path / "report.html").read_text()
    assert r"$\foo{$" in report
