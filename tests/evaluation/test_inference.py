"""What a comparison says of its scores: intervals, tests, effect sizes, ranks and caveats."""

from __future__ import annotations

import dataclasses
import itertools
import warnings

import numpy as np
import pandas as pd
import pytest

from skeeg.evaluation import About, Chance, Comparison
from skeeg.evaluation.statistics import (
    bootstrap_interval,
    corrected_interval,
    corrected_t_p_value,
    hedges_g,
    holm,
    meta_analysis,
    sign_flip_p_value,
)

NAMES = ("low", "high", "middle")


def made(n_subjects=6, n_folds=2, names=NAMES, metric="accuracy", scores=None, **changes):
    """Return a comparison without predictions, of n_folds folds in each subject."""
    rng = np.random.default_rng(0)
    means = dict(zip(NAMES, (0.5, 0.9, 0.7), strict=True))
    rows = [
        {
            "estimator": name,
            "fold": f"{subject}-{fold}",
            "subject": subject,
            metric: rng.normal(means.get(name, 0.6), 0.05) if scores is None else scores,
            "fit_time": 1.0,
            "predict_time": 0.1,
            "n_train": 30,
            "n_test": 10,
            "n_parameters": 5,
        }
        for name, subject, fold in itertools.product(names, range(n_subjects), range(n_folds))
    ]
    frame = pd.DataFrame(rows).astype({"subject": "Int64", "n_parameters": "Int64"})
    about = About(
        metrics=(metric,),
        classes=("left", "right"),
        protocol="within-subject",
        n_folds=n_subjects * n_folds,
        random_state=0,
        chance={metric: Chance(0.5, 0.6)},
        scoring={metric: metric},
    )
    empty = pd.DataFrame({"estimator": []})
    return Comparison(frame, empty, empty, dataclasses.replace(about, **changes))


def by_subject(comparison):
    return comparison.scores.pivot_table(index="subject", columns="estimator", values="accuracy")


# ---------------------------------------------------------------------- the frame


def test_subjects_have_bootstrap_intervals_sign_flips_and_effect_sizes():
    comparison = made()
    table, units = comparison.statistics(), by_subject(made())
    assert table.index.tolist() == ["high", "middle", "low"]
    assert (table[["n", "unit", "chance", "reference"]] == [6, "subject", 0.5, "high"]).all(
        axis=None
    )
    assert (table["test"] == "sign-flip permutation test over subjects").all()
    for name, row in table.iterrows():
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(bootstrap_interval(units[name]))
        assert row["p_chance"] == pytest.approx(sign_flip_p_value(units[name] - 0.5, "greater"))
    np.testing.assert_allclose(table["p_chance_holm"], holm(table["p_chance"]))
    for name in ("middle", "low"):
        difference = units[name] - units["high"]
        row = table.loc[name]
        assert row["difference"] == pytest.approx(difference.mean())
        assert row["effect_size"] == pytest.approx(hedges_g(difference))
        assert row["p_value"] == pytest.approx(sign_flip_p_value(difference))
    assert table.loc["high", ["difference", "effect_size", "p_value", "p_holm"]].isna().all()


def test_the_best_is_corrected_for_all_pairs_and_a_named_reference_for_its_own():
    units = by_subject(made())
    p_values = {
        pair: sign_flip_p_value(units[pair[0]] - units[pair[1]])
        for pair in itertools.combinations(["high", "middle", "low"], 2)
    }
    best, named = made().statistics(), made().statistics(reference="high")
    np.testing.assert_allclose(
        best.loc[["middle", "low"], "p_holm"], holm(list(p_values.values()))[:2]
    )
    np.testing.assert_allclose(
        named.loc[["middle", "low"], "p_holm"], holm(list(p_values.values())[:2])
    )
    assert best.loc["low", "p_holm"] == pytest.approx(3 * 2 / 2**6)
    assert named.loc["low", "p_holm"] == pytest.approx(2 * 2 / 2**6)


def test_folds_have_corrected_intervals_and_tests():
    comparison = made(n_subjects=1, n_folds=4)
    table = comparison.statistics()
    units = comparison.scores.pivot_table(index="fold", columns="estimator", values="accuracy")
    assert (table["test"] == "corrected resampled t-test over folds").all()
    low, high = corrected_interval(units["middle"], 1 / 3)
    assert table.loc["middle", "ci_low"] == pytest.approx(max(low, 0))
    assert table.loc["middle", "ci_high"] == pytest.approx(min(high, 1))
    p_value = corrected_t_p_value(units["middle"] - units["high"], 1 / 3)
    assert table.loc["middle", "p_value"] == pytest.approx(p_value)
    p_chance = corrected_t_p_value(units["middle"] - 0.5, 1 / 3, "greater")
    assert table.loc["middle", "p_chance"] == pytest.approx(p_chance)
    assert (table["ci_high"] <= 1).all()


@pytest.mark.parametrize("kwargs", [{}, {"n_subjects": 1, "n_folds": 4}])
def test_the_summary_has_the_same_p_values(kwargs):
    comparison = made(**kwargs)
    summary, statistics = comparison.summary(), comparison.statistics()
    for column in ("mean", "n", "unit", "chance", "reference", "p_value", "p_holm"):
        pd.testing.assert_series_equal(summary[column], statistics[column])


def test_of_an_error_less_is_better():
    comparison = made(metric="mean_absolute_error", task="regression", classes=())
    table = comparison.statistics()
    assert table.index.tolist() == ["low", "middle", "high"]
    assert table["p_chance"].is_monotonic_increasing
    assert table.loc["high", "p_chance"] == 1.0
    assert (table.loc[["middle", "high"], "difference"] > 0).all()


def test_a_metric_without_chance_has_no_test_against_it():
    comparison = made(metric="own", chance={}, scoring={"own": "callable"})
    assert comparison.statistics()[["chance", "p_chance", "p_chance_holm"]].isna().all(axis=None)
    assert "p, chance" not in comparison.to_markdown()


@pytest.mark.parametrize(
    "comparison",
    [
        made(n_subjects=1, n_folds=1),
        made(n_subjects=1, n_folds=2),
        made(n_subjects=1, n_folds=1, names=("high",)),
        made(names=("high",)),
        made(scores=0.5),
        made(scores=1.0),
        made(n_subjects=1, n_folds=4, scores=0.7),
        made(scores=np.nan),
        made(n_subjects=1, n_folds=4, scores=np.nan),
        made(scores=np.inf),
    ],
    ids=["fold", "two", "single", "one", "chance", "perfect", "equal", "nan", "nans", "inf"],
)
def test_degenerate_scores_give_missing_values_without_warnings(comparison):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = comparison.statistics()
        comparison.summary()
        comparison.caveats()
        assert comparison.to_markdown().count("\n| ") == len(table) + 1
        assert comparison.to_latex().count(r"\\") == len(table) + 1
        assert repr(comparison).startswith("<Comparison")
    for column in ("p_chance", "p_chance_holm", "p_value", "p_holm"):
        assert (table[column].isna() | table[column].between(0, 1)).all()


def test_a_missing_score_is_left_out_of_its_pairs_only():
    comparison = made(n_subjects=8)
    comparison.scores.loc[comparison.scores["estimator"].eq("low").idxmax(), "accuracy"] = np.nan
    comparison.scores.loc[comparison.scores["estimator"].eq("low").idxmax() + 1, "accuracy"] = (
        np.nan
    )
    table = comparison.statistics()
    assert table["n"].to_dict() == {"high": 8, "middle": 8, "low": 7}
    assert table.loc["low", "p_value"] == pytest.approx(2 / 2**7)
    assert table.loc["middle", "p_value"] == pytest.approx(2 / 2**8)


def test_unknown_arguments_are_refused():
    with pytest.raises(ValueError, match="test must be one of permutation"):
        made().statistics(test="t")
    with pytest.raises(ValueError, match="is for folds, and here subjects are the units"):
        made().statistics(test="corrected-t")
    with pytest.raises(ValueError, match="No estimator is called 'net'"):
        made().caveats(reference="net")
    with pytest.raises(ValueError, match="confidence must be between 0 and 1"):
        made().statistics(confidence=95)


# ---------------------------------------------------------------------- caveats


def test_folds_have_their_caveat_everywhere(capsys, tmp_path):
    from skeeg.cli.output import show

    comparison = made(n_subjects=1, n_folds=4, names=("low", "high"))
    shared = "Folds share training trials"
    assert any(shared in line and "too small" in line for line in comparison.caveats())
    assert any(shared in line for line in comparison.caveats(test="permutation"))
    assert "over folds, which share training trials" in repr(comparison)
    assert shared in comparison.to_markdown()
    assert shared in comparison.to_latex()
    show(comparison)
    printed = " ".join(capsys.readouterr().out.split())
    for line in comparison.caveats():
        assert line in printed


def test_subjects_have_no_caveat_of_folds():
    comparison = made(n_subjects=9)
    assert not any("Folds share" in line for line in comparison.caveats())
    assert "share training trials" not in repr(comparison)
    assert "all 3 pairs of estimators" in " ".join(comparison.caveats())
    assert "for 2 pairs of estimators" in " ".join(comparison.caveats(reference="low"))
    assert "no two-sided p-value is below 0.031" in " ".join(made(n_subjects=6).caveats())
    assert "there are 2, and 3 are needed" in " ".join(made(1, 2).caveats())


def test_leakage_and_transduction_are_caveats():
    comparison = made(leakage="windows of one trial", transductive={"high": "Alignment"})
    assert comparison.caveats()[:2] == (comparison.leakage, comparison.transductive)
    assert "windows of one trial" in comparison.to_latex()
    assert (comparison.statistics()["note"] == "leakage allowed").all()


# ---------------------------------------------------------------------- ranks and meta-analysis


def test_ranks_are_over_subjects_or_refused():
    result = made().rank_test()
    assert result.ranks.to_dict() == {"high": 1.0, "middle": 2.0, "low": 3.0}
    assert result.n_units == 6
    assert made().can_rank()
    for few in (made(n_subjects=4), made(names=("low", "high")), made(scores=np.nan)):
        assert not few.can_rank()
        with pytest.raises(ValueError, match="need three estimators and at least 5 subjects"):
            few.rank_test()
    figures = made().figures()
    assert [next(figures)[:2] for _ in range(3)] == [
        ("scores", "accuracy"),
        ("paired_scores", "accuracy"),
        ("critical_difference", "accuracy"),
    ]


def test_comparisons_of_several_data_sets_are_combined_over_subjects():
    comparisons = {"first": made(n_subjects=6), "second": made(n_subjects=3)}
    scores = {name: comparison.subject_scores() for name, comparison in comparisons.items()}
    assert scores["second"].shape == (3, 3)
    result = meta_analysis({name: own["high"] - own["low"] for name, own in scores.items()})
    np.testing.assert_allclose(result.data_sets["p_value"], [2.0**-6, 2.0**-3])
    assert result.data_sets["n_subjects"].tolist() == [6, 3]
    unknown = made()
    unknown.scores.loc[0, "subject"] = pd.NA
    with pytest.raises(ValueError, match="The subject of some folds is unknown"):
        unknown.subject_scores()


# ---------------------------------------------------------------------- tables

HOSTILE = (r"a_b & 50% of $x$ #1 {\bf}~^", "pipe | <b>*bold*</b>\n| new `row`", "=1+1 \x00é")


def test_the_markdown_table_has_a_row_for_each_estimator_whatever_its_name():
    text = made(names=HOSTILE).to_markdown()
    table, notes = text.split("\n\n", 1)
    lines = table.splitlines()
    assert len(lines) == 2 + 3
    cells = [line.replace(r"\|", "").count("|") for line in lines]
    assert cells == [7] * 5  # six columns
    assert "<b>" not in text
    assert "\x00" not in text
    assert "Chance is 0.500" in notes


def test_the_latex_table_escapes_every_special_character():
    text = made(names=HOSTILE).to_latex()
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0]
    assert body.count(r"\\") == 3
    expected = r"a\_b \& 50\% of \$x\$ \#1 \{\textbackslash{}bf\}\textasciitilde{}"
    assert expected + r"\textasciicircum{}" in body
    for line in body.strip().splitlines():
        assert line.replace(r"\&", "").count("&") == 5
    assert text.count(r"\begin{") == text.count(r"\end{") == 2


def test_numbers_are_rounded_and_small_p_values_are_bounded():
    comparison = made(n_subjects=14)
    table = comparison.statistics()
    row = next(line for line in comparison.to_markdown().splitlines() if "| middle" in line)
    mean, low, high = table.loc["middle", ["mean", "ci_low", "ci_high"]]
    assert f"{mean:.3f} \\[{low:.3f}, {high:.3f}\\]" in row
    assert "&lt; 0.001" in row
    assert f"−{-table.loc['middle', 'difference']:.3f}" in row
    assert r"\textless{} 0.001" in comparison.to_latex()
