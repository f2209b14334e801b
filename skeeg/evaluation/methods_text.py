"""A paragraph for the methods section of a paper, on what a comparison did."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from .about import About
from .references import method_references


def methods_paragraph(
    table: pd.DataFrame, about: About, metric: str, cite: Callable[..., str], *, networks: bool
) -> str:
    """Return the paragraph.

    Parameters
    ----------
    table : DataFrame
        That of `Comparison.statistics`.
    about : About
    metric : str
    cite : callable
        Function of keys of references that returns their citation.
    networks : bool
        Whether an estimator is a network.

    Returns
    -------
    text : str
    """
    return " ".join(
        [
            _data(about),
            _estimators(about, cite),
            _protocol(about),
            _statistics(table, about, metric, cite),
            _software(about, cite, networks),
        ]
    )


def _data(about: About) -> str:
    data = about.data
    rows = "trials" if "n_chans" in data else "rows of features"
    text = f"The data were {data.get('n_trials', 'the')} "
    text += f"windows of {data['n_whole_trials']} trials," if "n_whole_trials" in data else rows
    if "n_chans" in data:
        text += f" of {data['n_chans']} channels and {data['n_times']} samples"
    if data.get("sfreq"):
        text += f" at {data['sfreq']:g} Hz"
    if "n_subjects" in data:
        text += f", from {data['n_subjects']} subject{'s' if data['n_subjects'] != 1 else ''}"
    counts = data.get("n_per_class")
    if counts:
        text += f" ({', '.join(f'{label}: {n}' for label, n in counts.items())})"
    return f"{text}."


def _estimators(about: About, cite: Callable[..., str]) -> str:
    named = []
    for name, representation in about.estimators.items():
        keys = method_references(representation)
        named.append(f"{name} {cite(*keys)}" if keys else name)
    adapted = "".join(
        f" {name} adapts to the unlabelled test part ({steps})."
        for name, steps in about.transductive.items()
    )
    return f"We compared {', '.join(named)} on the same folds.{adapted}"


def _protocol(about: About) -> str:
    if about.leakage:
        checked = f"The split leaks from training to test: {about.leakage}."
    elif about.leakage_unknown:
        checked = f"Whether the split leaks is unknown: {about.leakage_unknown}."
    else:
        checked = "No trial was in both parts of a fold."
    return (
        f"The protocol was {about.protocol}, with {about.n_folds} folds. {checked} Random states "
        f"that were not set followed from the seed {about.random_state}."
    )


def _statistics(table: pd.DataFrame, about: About, metric: str, cite: Callable[..., str]) -> str:
    unit, test = table["unit"].iloc[0], table["test"].iloc[0]
    subjects = unit == "subject"
    n, reference = table["n"].max(), "sign-flip" if subjects else "corrected-t"
    text = f"We report the mean {about.label(metric)} over {n} {unit}s"
    if table["ci_low"].notna().any():
        text += ", with 95 % intervals " + (
            f"by the expanded percentile bootstrap {cite('bootstrap')}"
            if subjects
            else f"that allow for the shared training trials {cite('corrected-t')}"
        )
    text += "."
    if table["p_chance"].notna().any():
        level = table["chance"].iloc[0]
        text += (
            f" Scores were compared with chance ({level:.3g}) by a one-sided {test} "
            f"{cite(reference)}, corrected for {len(table)} estimators {cite('holm')}."
        )
    if table["p_value"].notna().any():
        text += (
            f" Estimators were compared with {table['reference'].iloc[0]} by a two-sided {test} "
            f"{cite(reference)}, corrected for all pairs {cite('holm')}; effect sizes are "
            f"Hedges' g of pairs {cite('hedges')}."
        )
    return text


def _software(about: About, cite: Callable[..., str], networks: bool) -> str:
    versions = about.environment
    known = {
        "skeeg": "skeeg",
        "scikit-learn": "scikit-learn",
        "mne": "mne",
    } | ({"torch": "pytorch"} if networks else {})
    packages = [
        f"{package} {versions[package]} {cite(key)}"
        for package, key in known.items()
        if package in versions
    ]
    python = f"Python {versions['python']}" if "python" in versions else "Python"
    return f"We used {python}{', ' if packages else ''}{', '.join(packages)}."
