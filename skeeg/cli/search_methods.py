"""The methods of ``skeeg search``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .._labelled import LabelledRows
    from .space import Space

METHODS = ("grid", "halving", "optuna")


@dataclass(frozen=True)
class Searching:
    """A search of the same kind for any model.

    Parameters
    ----------
    method : {"grid", "halving", "optuna"}
    rows : EEGData or FeatureTable
    cv : int or str
        Number of folds of whole trials, or a protocol.
    metric : str, optional
    n_trials : int
    n_jobs : int
    seed : int
    store : pathlib.Path
        Folder of finished fits.
    """

    method: str
    rows: LabelledRows
    cv: int | str
    metric: str | None
    n_trials: int
    n_jobs: int
    seed: int
    store: Path

    def __call__(self, model: Any, space: Space) -> Found:
        """Search the best parameters of a model.

        Parameters
        ----------
        model : estimator
        space : list of dict

        Returns
        -------
        found : Found
        """
        from .._seeding import seeded
        from ..model_selection._inner_splits import inner_splits

        model = seeded(model, self.seed)
        splits = inner_splits(self.cv, model, self.rows, self.rows.y)
        metric = self._metric_of(model, splits)
        common = {
            "cv": splits,
            "scoring": _scorer(metric, self.rows.y),
            "refit": False,
            "n_jobs": self.n_jobs,
        }
        run = {"grid": self._grid, "halving": self._halving, "optuna": self._optuna}[self.method]
        search = run(model, space, common)
        return Found(metric, len(splits), search.cv_results_, int(search.best_index_))

    def _grid(self, model: Any, space: Space, common: dict[str, Any]) -> Any:
        from sklearn.model_selection import GridSearchCV

        from ..model_selection import Memoized

        grid = [{f"estimator__{key}": values for key, values in part.items()} for part in space]
        search = GridSearchCV(Memoized(model, self.store), grid, **common)
        search.fit(self.rows, self.rows.y)
        results = search.cv_results_
        results["params"] = [
            {key.removeprefix("estimator__"): value for key, value in params.items()}
            for params in results["params"]
        ]
        return search

    def _halving(self, model: Any, space: Space, common: dict[str, Any]) -> Any:
        from sklearn.model_selection import ParameterSampler

        from ..model_selection import EpochHalvingSearchCV
        from .space import has_ranges

        candidates: Any = space
        if has_ranges(space):
            candidates = ParameterSampler(space, self.n_trials, random_state=self.seed)
        search = EpochHalvingSearchCV(model, candidates, **common)
        return search.fit(self.rows, self.rows.y)

    def _optuna(self, model: Any, space: Space, common: dict[str, Any]) -> Any:
        from ..model_selection import OptunaSearchCV

        return OptunaSearchCV(
            model,
            space,
            n_trials=self.n_trials,
            storage=self.store / "optuna.db",
            random_state=self.seed,
            verbose=1,
            **common,
        ).fit(self.rows, self.rows.y)

    def _metric_of(self, model: Any, splits: Any) -> str:
        """Return the metric; by default the main one of a comparison."""
        from ..evaluation.scoring import check_scoring
        from ..evaluation.tasks import choose_task
        from ..model_selection import Fold

        task = choose_task({"model": model}, self.rows.y)
        if self.metric is not None:
            check_scoring(self.metric, task)
            return self.metric
        folds = [Fold(train, test) for train, test in splits]
        return task.default_metrics(self.rows.y, folds, [model])[0]


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Parameters
    ----------
    metric : str
    n_splits : int
    results : dict
        ``cv_results_`` of the search.
    best : int
        The row of the best candidate.
    """

    metric: str
    n_splits: int
    results: dict[str, Any]
    best: int


def _scorer(metric: str, y: Any) -> Any:
    """Return the scorer of scikit-learn for a metric of a comparison."""
    import numpy as np
    from sklearn.metrics import cohen_kappa_score, make_scorer

    from ..evaluation.metrics import pearson

    if metric == "kappa":
        return make_scorer(cohen_kappa_score)
    if metric == "pearson":
        return make_scorer(pearson)
    if metric == "roc_auc" and len(np.unique(y)) > 2:
        return "roc_auc_ovr_weighted"
    return "neg_mean_absolute_error" if metric == "mean_absolute_error" else metric
