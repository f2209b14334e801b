"""A grid search whose networks are trained together, as one stacked network."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import indexable
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _num_samples

from .._labelled import LabelledRows
from .._warnings import user_stacklevel
from ._candidate import adopt_results
from ._inner_splits import divided_params, inner_splits
from ._stacked_fits import ROWS, Report, StackedFit, StackedFits


class StackedSearchCV(BaseSearchCV):
    """A grid search that trains networks of the same architecture together, as one stacked network.

    It takes the place of `sklearn.model_selection.GridSearchCV`: parameters, attributes and the
    keys of ``cv_results_`` are the same. A small network leaves most of a GPU idle. Here, all
    candidates and folds that share an architecture are computed at once, each with its own
    activation, ``alpha``, learning rate, weight decay, dropout, epochs, ``random_state`` and
    trials. Other candidates, such as those with another kernel length, are groups of their own.

    Parameters
    ----------
    estimator : estimator
        A network of skeeg, or a pipeline whose last step is one. Its preprocessing is computed once
        for each fold, unless a candidate changes its parameters. Any other estimator is searched
        as by `GridSearchCV`.
    param_grid : dict or list of dict
        As in `sklearn.model_selection.GridSearchCV`.
    stacking : {"auto", "always", "never"}, default="auto"
        Whether to train networks together. ``"auto"`` does so where it is faster: on a GPU, and on
        a CPU with small batches and without ``n_jobs``. All other fits are trained one by one, as
        by `GridSearchCV`, with a warning if these are all. ``"always"`` stacks on any device, and
        raises an error for a candidate that cannot be stacked.
    max_stacked : int, default=64
        Largest number of networks that are trained at once. If a GPU has too little memory for
        them, half as many are trained at once, with a warning.
    scoring : str, callable, list, tuple or dict, optional
        As in `sklearn.model_selection.GridSearchCV`.
    n_jobs : int, optional
        Number of fits that run in parallel if they are not stacked, and of scorings.
    refit : bool, str or callable, default=True
        As in `sklearn.model_selection.GridSearchCV`. The best candidate is trained by itself.
    cv : int, splitter, iterable or str, optional
        As in scikit-learn. For `EEGData` and `FeatureTable`, a number is that of folds of whole
        trials, five by default, and the name of a protocol is allowed.
    verbose : int, default=0
        As in scikit-learn; from 1 on, it also prints how many fits are trained together, and why
        others are not.
    error_score : "raise" or float, default=nan
        Score of a candidate whose training fails.
    return_train_score : bool, default=False
        Whether to compute the scores of the training parts.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As of `sklearn.model_selection.GridSearchCV`. The fit time of a network that was trained
        with others is its share in the time of all.
    best_estimator_, best_score_, best_params_, best_index_, scorer_, refit_time_, n_splits_
        As of `sklearn.model_selection.GridSearchCV`.
    n_stacked_ : int
        Number of fits that were trained as members of a stacked network.
    not_stacked_ : dict of str to int
        Number of the other fits, by the reason why they were trained one by one.

    Raises
    ------
    ValueError
        In ``fit`` with ``stacking="always"``, if a candidate cannot be stacked.
    LeakageError
        In ``fit``, if the splits of `EEGData` divide what the leakage guard keeps together.

    Warns
    -----
    UserWarning
        If all fits are trained one by one with ``stacking="auto"``, or a GPU has too little memory.

    See Also
    --------
    sklearn.model_selection.GridSearchCV : Trains each candidate by itself.
    EpochHalvingSearchCV : Trains most candidates for a part of the epochs only.

    Notes
    -----
    A member draws the weights, batches and dropout that it draws in a fit by itself, so that both
    differ by rounding only. Adam turns rounding into steps of full size in weights on which the
    loss does not depend, such as biases before a batch normalisation. Losses of both agree to about
    1e-6 in most networks, but predictions, which use running averages of these values, differ more:
    probabilities of an EEGNet by up to 1e-4 with ``lr=1e-3`` and by up to 1e-2 with ``lr=1e-2``,
    and of networks with large sums, such as ShallowConvNet, after few steps by as much as those of
    two seeds do. With the optimiser SGD they agree to 1e-5.

    Networks with recurrent layers, PointCNN, classes of your own, and estimators with
    ``augment``, ``early_stopping``, ``callbacks``, ``train_split``, ``compile``, ``warm_start``,
    ``n_selected_chans`` or an optimiser other than Adam, AdamW and SGD are trained one by one, and
    so are all fits if ``fit`` is given further arguments such as ``sample_weight``.

    Examples
    --------
    >>> from skeeg import EEGNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.model_selection import StackedSearchCV
    >>> data = simulate_motor_imagery(n_subjects=1, n_trials=10, n_runs=2, random_state=0)
    >>> network = EEGNetClassifier(max_epochs=2, random_state=0)
    >>> grid = {"activation": ["elu", "leaky_relu"], "alpha": [0.1, 0.5]}
    >>> search = StackedSearchCV(network, grid, cv=2, stacking="always").fit(data, data.y)
    >>> search.n_stacked_
    8
    """

    _parameter_constraints: dict[str, Any] = {
        **BaseSearchCV._parameter_constraints,
        "param_grid": [dict, list],
        "stacking": [StrOptions({"auto", "always", "never"})],
        "max_stacked": [Interval(Integral, 1, None, closed="left")],
    }
    del _parameter_constraints["pre_dispatch"], _parameter_constraints["cv"]

    def __init__(
        self,
        estimator: Any,
        param_grid: Mapping[str, Sequence[Any]] | Iterable[Mapping[str, Any]],
        *,
        stacking: str = "auto",
        max_stacked: int = 64,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        error_score: Any = np.nan,
        return_train_score: bool = False,
    ) -> None:
        self.estimator = estimator
        self.param_grid = param_grid
        self.stacking = stacking
        self.max_stacked = max_stacked
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit
        self.cv = cv
        self.verbose = verbose
        self.error_score = error_score
        self.return_train_score = return_train_score

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
        X, y = indexable(X, y)
        groups, others = divided_params(self, params)
        splits = inner_splits(self.cv, self.estimator, X, y, groups)
        with TemporaryDirectory(prefix="skeeg-stacked-") as folder:
            report = self._train_stacked(X, y, splits, folder, others)
            search = _Search(
                StackedFit(self.estimator, folder) if report.seconds else self.estimator,
                self.param_grid,
                scoring=self.scoring,
                n_jobs=self.n_jobs,
                refit=self.refit,
                cv=splits,
                verbose=self.verbose,
                error_score=self.error_score,
                return_train_score=self.return_train_score,
            )
            search.seconds = report.seconds
            rows = {ROWS: np.arange(_num_samples(X))} if report.seconds else {}
            search.fit(X, y, **others, **rows)
        self.n_stacked_, self.not_stacked_ = len(report.seconds), report.n_by_reason
        adopt_results(self, search)
        return self

    def _train_stacked(
        self, X: Any, y: Any, splits: Any, folder: str, fit_params: Mapping[str, Any]
    ) -> Report:
        """Train what can be trained together, and say what cannot."""
        candidates = list(ParameterGrid(self.param_grid))
        everywhere = self.stacking == "always"
        fits = StackedFits(
            self.estimator,
            candidates,
            splits,
            max_stacked=self.max_stacked,
            everywhere=everywhere,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )
        if self.stacking == "never":
            return fits.leave_all('stacking="never"')
        given = sorted(name for name, value in fit_params.items() if value is not None)
        if given:
            report = fits.leave_all(f"fit is given {', '.join(given)}")
        else:
            report = fits.train(X, y, folder)
        one_by_one = "; ".join(f"{n} fits: {why}" for why, n in report.n_by_reason.items())
        if everywhere and report.refused:
            raise ValueError(
                f'stacking="always", but not all candidates can be stacked: {one_by_one}. Use '
                'stacking="auto" to train these one by one.'
            )
        if not report.seconds:
            warnings.warn(
                f"{type(self).__name__} trains all fits one by one ({one_by_one}).",
                stacklevel=user_stacklevel(),
            )
        if self.verbose > 0:
            print(f"{len(report.seconds)} fits were trained together")
            if one_by_one:
                print(f"Fits that are trained one by one: {one_by_one}")
        return report

    def _run_search(self, evaluate_candidates: Any) -> None:
        """Do nothing: `fit` does not use it, but the base class is abstract without."""


class _Search(GridSearchCV):
    """A grid search that adds the time of the fits which were trained before."""

    seconds: Mapping[tuple[int, int], float]

    def _format_results(
        self, candidate_params: Any, n_splits: int, out: Any, more_results: Any = None
    ) -> Any:
        for i, result in enumerate(out):
            result["fit_time"] += self.seconds.get(divmod(i, n_splits), 0.0)
        return super()._format_results(candidate_params, n_splits, out, more_results)
