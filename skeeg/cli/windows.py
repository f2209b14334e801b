"""Trials in windows, with two splits: whole trials, and shuffled windows as often published."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

if TYPE_CHECKING:
    from .._labelled import LabelledRows
    from ..data import EEGData
    from ..evaluation import Comparison
    from ..features import FeatureTable

#: Default of ``--window`` in seconds, that of the published features of DEAP.
WINDOW = 1.0
#: The values of ``--features``.
FEATURES = ("entropy",)
#: The default models of ``--task quadrant`` without features.
RECURRENT_MODELS = "cnn-lstm,cnn-gru"


def in_windows(
    trials: LabelledRows, baseline: EEGData | None, features: str | None, window: float
) -> LabelledRows:
    """Return the windows of trials, or their entropies minus those of the baselines."""
    from ..features import deap_entropy, segment

    data = cast("EEGData", trials)
    return deap_entropy(data, baseline, window=window) if features else segment(data, window)


def _on_maps(classifier: str) -> Callable[[FeatureTable, int | None], Any]:
    """Return a function that creates a network of maps, on the grid of DEAP if possible."""

    def make(table: FeatureTable, max_epochs: int | None) -> Any:
        from sklearn.pipeline import make_pipeline

        from .. import estimators
        from ..features import TopographicMap
        from ..features.topography import has_deap_layout

        layout = "deap-9x9" if has_deap_layout(table.ch_names) else "grid"
        epochs = {} if max_epochs is None else {"max_epochs": max_epochs}
        network = getattr(estimators, classifier)(**epochs)
        return make_pipeline(TopographicMap(table.ch_names, layout), network)

    return make


def _last_step(baseline: str) -> Callable[[FeatureTable, int | None], Any]:
    """Return a function that creates the last step of a baseline, for computed features."""

    def make(table: FeatureTable, max_epochs: int | None) -> Any:
        from .. import baselines

        # The rate must only allow the bands: the step that uses it is dropped.
        return getattr(baselines, baseline)(sfreq=128.0)[-1]

    return make


#: The models of ``--features entropy``: functions that create unfitted estimators of features.
FEATURE_MODELS: dict[str, Callable[[FeatureTable, int | None], Any]] = {
    "ccnn": _on_maps("CCNNClassifier"),
    "lenet": _on_maps("LeNetClassifier"),
    "svm": _last_step("entropy_svm"),
    "mlp": _last_step("entropy_mlp"),
    "tree": _last_step("entropy_tree"),
}


def shuffled_windows(protocol: str) -> Any:
    """Return the split of shuffled windows: within subjects, or over all for cross-subject.

    It has as many folds as the within-subject protocol, so that only the shuffling differs.
    """
    from ..model_selection import ShuffledSegmentKFold, WithinSubject

    folds = ShuffledSegmentKFold(n_splits=5, allow_leakage=True)
    return folds if protocol == "cross-subject" else WithinSubject(folds)


def side_by_side(honest: Comparison, shuffled: Comparison) -> pd.DataFrame:
    """Return the main score of each model with both splits, best with whole trials first."""
    metric = honest.about.metrics[0]
    whole, leaking = honest.summary(metric), shuffled.summary(metric)
    return pd.DataFrame(
        {
            "metric": metric,
            "whole_trials": whole["mean"],
            "whole_trials_std": whole["std"],
            "shuffled_windows": leaking["mean"],
            "shuffled_windows_std": leaking["std"],
            "inflation": leaking["mean"] - whole["mean"],
            "chance": whole["chance"],
            # If each trial is one window, there is no leakage.
            "note": f"shuffled_windows: {shuffled.about.note}" if shuffled.leakage else "",
        }
    ).loc[whole.index]
