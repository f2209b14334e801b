"""How often do the tests of a comparison find what is not there? Simulated, with the true answer.

Two questions are asked of data without an answer, many times:

* **against chance**: the trials are noise, so that no decoder is better than chance;
* **of two decoders**: both use features that tell equally much about the class, so that neither is
  better.

Each repetition draws new recordings, fits linear discriminant analyses in the protocol, and takes
the p-values as `skeeg.Comparison` does, next to tests that it does not use for that purpose. The
table has the proportion of p-values at or below 0.05, which must not exceed 0.05 by more than the
simulation's own error. Coverage of the intervals is measured in the same way.

    python benchmarks/false_positives.py --repetitions 2000
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from skeeg.evaluation.inference import Units, reference_p_values
from skeeg.evaluation.statistics import (
    binomial_p_value,
    bootstrap_interval,
    corrected_t_p_value,
    friedman_nemenyi,
    meta_analysis,
    paired_p_value,
    sign_flip_p_value,
    wilcoxon_p_value,
)

LEVEL = 0.05
Array = NDArray[np.float64]


def recording(rng: np.random.Generator, n_trials: int, distance: float, n_decoders: int) -> Array:
    """Return noise with a column of features for each decoder, shape (n_trials, n_decoders, 3)."""
    y = np.arange(n_trials) % 2
    return rng.standard_normal((n_trials, n_decoders, 3)) + distance * (y - 0.5)[:, None, None]


def correct(train: Array, test: Array) -> NDArray[np.bool_]:
    """Return which test trials a linear discriminant analysis of each decoder gets right."""
    hits = []
    for own, other in zip(train.swapaxes(0, 1), test.swapaxes(0, 1), strict=True):
        y = np.arange(len(own)) % 2
        means = np.stack([own[y == label].mean(axis=0) for label in (0, 1)])
        covariance = np.cov((own - means[y]).T)
        weights = np.linalg.solve(covariance, means[1] - means[0])
        guess = (other - means.mean(axis=0)) @ weights > 0
        hits.append(guess == (np.arange(len(other)) % 2 == 1))
    return np.stack(hits)


def folds_of(trials: Array, n_folds: int) -> NDArray[np.bool_]:
    """Return the correct trials of a cross-validation, shape (n_decoders, n_folds, n_test)."""
    parts = np.split(trials, n_folds)
    return np.stack(
        [correct(np.concatenate(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(n_folds)],
        axis=1,
    )


def within_subjects(rng: np.random.Generator, distance: float, n: int, k: int = 2) -> Array:
    """Return the accuracies of k decoders in n subjects, each with four folds of 10 trials."""
    return np.stack(
        [folds_of(recording(rng, 40, distance, k), 4).mean(axis=(1, 2)) for _ in range(n)]
    )


def across_subjects(rng: np.random.Generator, distance: float, n: int) -> Array:
    """Return the accuracies of two decoders in n subjects, trained on all others."""
    # A fold is a subject, whose trials share an offset that the other subjects do not have.
    trials = recording(rng, 40 * n, distance, 2)
    trials += 0.5 * np.repeat(rng.standard_normal((n, 2, 3)), 40, axis=0)
    return folds_of(trials, n).mean(axis=2).T


def of_folds(rng: np.random.Generator, n_folds: int) -> dict[str, float]:
    """Return p-values over the folds of one recording of 80 trials."""
    noise = folds_of(recording(rng, 80, 0.0, 1), n_folds)[0]
    accuracy = noise.mean(axis=1) - 0.5
    pair = folds_of(recording(rng, 80, 0.8, 2), n_folds).mean(axis=2)
    difference = pair[0] - pair[1]
    ratio = 1 / (n_folds - 1)
    return {
        "chance: corrected resampled t-test (used)": corrected_t_p_value(
            accuracy, ratio, "greater"
        ),
        "chance: binomial": binomial_p_value(int(noise.sum()), noise.size, 0.5),
        "chance: t-test": float(stats.ttest_1samp(accuracy, 0, alternative="greater").pvalue)
        if np.ptp(accuracy)
        else np.nan,
        "pair: corrected resampled t-test (used)": corrected_t_p_value(difference, ratio),
        "pair: t-test": float(stats.ttest_1samp(difference, 0).pvalue)
        if np.ptp(difference)
        else np.nan,
        "pair: sign-flip": paired_p_value(pair[0], pair[1]),
    }


def of_subjects(
    draw: Callable[[np.random.Generator, float, int], Array], n: int
) -> Callable[[np.random.Generator], dict[str, float]]:
    """Return a function that returns p-values over n subjects."""

    def p_values(rng: np.random.Generator) -> dict[str, float]:
        above = draw(rng, 0.0, n)[:, 0] - 0.5
        pair = draw(rng, 0.8, n)
        difference = pair[:, 0] - pair[:, 1]
        return {
            "chance: sign-flip (used)": sign_flip_p_value(above, "greater"),
            "chance: Wilcoxon": wilcoxon_p_value(above, "greater"),
            "pair: sign-flip (used)": sign_flip_p_value(difference),
            "pair: Wilcoxon": wilcoxon_p_value(difference),
        }

    return p_values


def of_many(rng: np.random.Generator) -> dict[str, float]:
    """Return the least p-value of a family of five equal decoders in nine subjects."""
    scores = pd.DataFrame(within_subjects(rng, 0.8, 9, k=5), columns=list("ABCDE"))
    order = scores.mean().sort_values(ascending=False).index
    units = Units(scores[order], "subject", "permutation", 1 / 3, descending=True)
    ranks = friedman_nemenyi(scores)
    against_best, named = reference_p_values(units, None), reference_p_values(units, "A")
    parts = np.split((scores["A"] - scores["B"]).to_numpy(), 3)
    return {
        "best of five: any p_holm (used)": against_best["p_holm"].min(),
        "best of five: any p_value, uncorrected": against_best["p_value"].min(),
        "named reference of five: any p_holm (used)": named["p_holm"].min(),
        "Friedman": ranks.p_value,
        "Nemenyi: any pair": ranks.p_values.min(axis=None),
        "meta-analysis of three sets": meta_analysis(dict(zip("XYZ", parts, strict=True))).p_value,
    }


def rates(
    function: Callable[[np.random.Generator], dict[str, float]], n: int, seed: int
) -> pd.Series[float]:
    """Return the proportion of p-values at or below the level; NaN is no discovery."""
    rng = np.random.default_rng(seed)
    return (pd.DataFrame([function(rng) for _ in range(n)]) <= LEVEL).mean()


def coverage(n_subjects: int, n: int, seed: int) -> float:
    """Return how often the bootstrap interval over subjects has the true mean accuracy."""
    rng = np.random.default_rng(seed)
    drawn = [rng.binomial(80, rng.beta(14, 6, n_subjects)) / 80 for _ in range(n)]
    intervals = [bootstrap_interval(scores) for scores in drawn]
    return float(np.mean([low <= 0.7 <= high for low, high in intervals]))


STUDIES: dict[str, Callable[[np.random.Generator], dict[str, float]]] = {
    "one recording, 4 folds": lambda rng: of_folds(rng, 4),
    "one recording, 10 folds": lambda rng: of_folds(rng, 10),
    "6 subjects, folds within": of_subjects(within_subjects, 6),
    "9 subjects, folds within": of_subjects(within_subjects, 9),
    "20 subjects, folds within": of_subjects(within_subjects, 20),
    "9 subjects, trained on the others": of_subjects(across_subjects, 9),
    "five decoders, 9 subjects": of_many,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="text in the titles of the studies to run")
    options = parser.parse_args()
    n = options.repetitions
    error = 1.96 * np.sqrt(LEVEL * (1 - LEVEL) / n)
    print(f"{n} repetitions; a rate of {LEVEL} is measured to within ±{error:.3f} (95 %)\n")
    for title, function in STUDIES.items():
        if options.only not in title:
            continue
        print(title, flush=True)
        for name, rate in rates(function, n, options.seed).items():
            print(f"    {rate:.3f}  {name}", flush=True)
    if options.only:
        return
    print("95 % bootstrap interval over subjects: coverage")
    for n_subjects in (5, 9, 20):
        print(f"    {coverage(n_subjects, n, options.seed):.3f}  {n_subjects} subjects")


if __name__ == "__main__":
    main()
