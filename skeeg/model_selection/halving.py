"""Successive halving on epochs, in which a candidate continues from its trained weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  allows the next import
from sklearn.model_selection import HalvingGridSearchCV, ParameterSampler
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils._param_validation import Interval, StrOptions

from .._labelled import LabelledRows
from ._candidate import adopt_results
from ._continued import ContinuedFit, check_continues, network_of
from ._inner_splits import divided_params, inner_splits


class EpochHalvingSearchCV(BaseSearchCV):
    """Successive halving on epochs, in which a candidate continues from its trained weights.

    All candidates are trained for a few epochs. The best of them, one in `factor`, are trained
    until they have `factor` times as many, and so on. It has the results of scikit-learn's
    ``HalvingGridSearchCV(resource="max_epochs")``, to the last bit if the network has an integer
    ``random_state`` and the first iteration at least two epochs, but that search trains each
    candidate from the start in every iteration. Fits of a single epoch sum in another order.

    Parameters
    ----------
    estimator : estimator
        A network of skeeg, or a pipeline whose last step is one. Its preprocessing is computed once
        for each fold, unless a candidate changes its parameters.
    param_grid : dict, list of dict or ParameterSampler
        As in `sklearn.model_selection.GridSearchCV`; or candidates that
        `sklearn.model_selection.ParameterSampler` draws.
    factor : float, default=3
        Proportion of the candidates that each iteration keeps, as one in `factor`, and the factor
        by which their epochs grow.
    min_epochs : int, "exhaust" or "smallest", default="exhaust"
        Epochs of the first iteration. ``"exhaust"`` lets the last iteration reach `max_epochs`,
        ``"smallest"`` is one.
    max_epochs : int, optional
        The most epochs of a candidate; by default ``max_epochs`` of the network.
    aggressive_elimination : bool, default=False
        As in `sklearn.model_selection.HalvingGridSearchCV`.
    cv : int, splitter, iterable or str, optional
        As in scikit-learn. For `EEGData` and `FeatureTable`, a number is that of folds of whole
        trials, five by default, and the name of a protocol is allowed.
    scoring : str, callable or None
        A single metric, as in scikit-learn; None is the ``score`` of the estimator.
    refit : bool, default=True
        Whether to train the best candidate on all trials.
    error_score : "raise" or float, default=nan
        Score of a candidate whose training fails.
    return_train_score : bool, default=False
        Whether to compute the scores of the training parts.
    n_jobs : int, optional
        Number of fits that run in parallel.
    verbose : int, default=0
        As in scikit-learn.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As of `sklearn.model_selection.HalvingGridSearchCV`, with a row for each candidate in each
        iteration. ``iter`` is the iteration and ``n_resources`` the number of epochs. The fit time
        is that of the epochs which were added.
    best_estimator_, best_score_, best_params_, best_index_, scorer_, refit_time_, n_splits_
        As of `sklearn.model_selection.GridSearchCV`. The score is that of the last iteration.
    n_resources_, n_candidates_ : list of int
        Epochs and number of candidates of each iteration.

    Raises
    ------
    ValueError
        In ``fit``, if the estimator does not end in a network, or its training cannot be
        continued: with ``early_stopping``, ``callbacks``, ``train_split``, ``compile`` or
        ``n_selected_chans``.
    LeakageError
        In ``fit``, if the splits of `EEGData` divide what the leakage guard keeps together.

    See Also
    --------
    sklearn.model_selection.HalvingGridSearchCV : Trains each candidate anew in every iteration.

    Notes
    -----
    The trained networks are files in a temporary folder, one for each candidate and fold, which is
    deleted at the end. Workers on machines that do not share that folder train from the start.

    References
    ----------
    Jamieson K., Talwalkar A. (2016). Non-stochastic best arm identification and hyperparameter
    optimization. AISTATS.

    Examples
    --------
    >>> from skeeg import EEGNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.model_selection import EpochHalvingSearchCV
    >>> data = simulate_motor_imagery(n_subjects=1, n_trials=10, n_runs=2, random_state=0)
    >>> network = EEGNetClassifier(max_epochs=4, random_state=0)
    >>> grid = {"lr": [1e-4, 1e-3], "activation": ["elu", "relu"]}
    >>> search = EpochHalvingSearchCV(network, grid, factor=2, cv=2).fit(data, data.y)
    >>> search.n_candidates_, search.n_resources_
    ([4, 2, 1], [1, 2, 4])
    """

    _parameter_constraints: dict[str, Any] = {
        **BaseSearchCV._parameter_constraints,
        "param_grid": [dict, list, ParameterSampler],
        "factor": [Interval(Integral, 2, None, closed="left"), float],
        "min_epochs": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions({"exhaust", "smallest"}),
        ],
        "max_epochs": [Interval(Integral, 1, None, closed="left"), None],
        "aggressive_elimination": ["boolean"],
        "scoring": [str, callable, None],
        "refit": ["boolean"],
    }
    del _parameter_constraints["pre_dispatch"], _parameter_constraints["cv"]

    def __init__(
        self,
        estimator: Any,
        param_grid: Mapping[str, Sequence[Any]] | Iterable[Mapping[str, Any]],
        *,
        factor: float = 3,
        min_epochs: int | str = "exhaust",
        max_epochs: int | None = None,
        aggressive_elimination: bool = False,
        cv: Any = None,
        scoring: Any = None,
        refit: bool = True,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.param_grid = param_grid
        self.factor = factor
        self.min_epochs = min_epochs
        self.max_epochs = max_epochs
        self.aggressive_elimination = aggressive_elimination
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.n_jobs = n_jobs
        self.verbose = verbose

    @property
    def n_features_in_(self) -> int:
        """Number of channels of the training data, once the best estimator is fitted."""
        return int(super().n_features_in_)

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Search, and train the best candidate on all trials.

        Parameters
        ----------
        X, y : array-like
            Trials and targets. ``y`` of `EEGData` may be left out.
        **params
            As in `sklearn.model_selection.GridSearchCV.fit`, such as ``groups``.

        Returns
        -------
        self : object
        """
        self._validate_params()
        y = X.y if y is None and isinstance(X, LabelledRows) else y
        prefix, network = _continuable(self.estimator, type(self).__name__)
        groups, others = divided_params(self, params)
        with TemporaryDirectory(prefix="skeeg-halving-") as folder:
            search = HalvingGridSearchCV(
                ContinuedFit(self.estimator, folder),
                _as_grid(self.param_grid),
                resource=f"{prefix}max_epochs",
                max_resources=self.max_epochs or network.max_epochs,
                min_resources=self.min_epochs,
                factor=self.factor,
                aggressive_elimination=self.aggressive_elimination,
                cv=inner_splits(self.cv, self.estimator, X, y, groups),
                scoring=self.scoring,
                refit=self.refit,
                error_score=self.error_score,
                return_train_score=self.return_train_score,
                n_jobs=self.n_jobs,
                verbose=self.verbose,
            ).fit(X, y, **others)
        adopt_results(self, search)
        return self

    def _run_search(self, evaluate_candidates: Any) -> None:
        """Do nothing: `fit` does not use it, but the base class is abstract without."""


def _as_grid(param_grid: Any) -> Any:
    if not isinstance(param_grid, ParameterSampler):
        return param_grid
    return [{name: [value] for name, value in drawn.items()} for drawn in param_grid]


def _continuable(estimator: Any, search: str) -> tuple[str, Any]:
    """Return the network of an estimator, after checking that its training can be continued."""
    found = network_of(estimator)
    if found is None:
        raise ValueError(
            f"{search} needs a network of skeeg, or a pipeline that ends in one; got "
            f"{type(estimator).__name__}. Use HalvingGridSearchCV of scikit-learn."
        )
    check_continues(found[1])
    return found
