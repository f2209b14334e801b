"""A search in which Optuna draws the candidates, and which can be resumed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from tqdm import tqdm

from .._identity import Cloned, Unidentifiable, fit_context, identify
from .._labelled import LabelledRows
from .._warnings import user_stacklevel
from ._continued import check_continues, network_of
from ._inner_splits import inner_splits
from ._optuna_space import OptunaSpace
from ._optuna_storage import StoredTrials
from ._optuna_trials import INDEX, Evaluation, results_of


class OptunaSearchCV(BaseSearchCV):
    """A search in which Optuna draws the candidates, and which can be resumed.

    Each candidate is drawn from what the scores of the earlier ones suggest, by default with a
    tree-structured Parzen estimator. Each call of `fit` is a search of its own, so that in a nested
    cross-validation nothing of one training part reaches another.

    Parameters
    ----------
    estimator : estimator
        Any estimator of scikit-learn's kind.
    param_distributions : dict or list of dict
        For each parameter a list of values, a distribution of `scipy.stats` or one of
        ``optuna.distributions``. Of several dictionaries, one is chosen for each candidate. Grids
        of `sklearn.model_selection.GridSearchCV` are accepted.
    n_trials : int, default=20
        Number of candidates, with those that are found in `storage`.
    pruning : {"folds", "epochs"}, optional
        Stop a candidate that is worse than earlier ones at the same point. ``"folds"`` compares the
        mean score after each fold, ``"epochs"`` the mean score of all folds after a ninth and a
        third of the epochs; the training then continues. It needs a network of skeeg, or a
        pipeline that ends in one. By default every candidate is evaluated in all folds.
    pruner : optuna.pruners.BasePruner, optional
        By default ``optuna.pruners.MedianPruner()``.
    sampler : callable, optional
        A class of ``optuna.samplers``, or another function of ``seed`` that returns a sampler. By
        default ``optuna.samplers.TPESampler``.
    storage : path-like, str or optuna.storages.BaseStorage, optional
        An SQLite file, which is created if it does not exist, the URL of a database, or a storage.
        Finished trials are kept in it. The same search of the same data finds them again, also
        with another `n_trials`, and has the results of a search that was not interrupted. Several
        searches can share a file.
    cv : int, splitter, iterable or str, optional
        As in scikit-learn. For `EEGData` and `FeatureTable`, a number is that of folds of whole
        trials, five by default, and the name of a protocol is allowed.
    scoring : str, callable or None
        A single metric, as in scikit-learn; None is the ``score`` of the estimator.
    refit : bool, default=True
        Whether to train the best candidate on all trials.
    error_score : "raise" or float, default=nan
        Score of a fold whose fit fails. A candidate whose score is NaN counts as a trial.
    return_train_score : bool, default=False
        Whether to compute the scores of the training parts.
    random_state : int, RandomState or None
        Seed of the sampler. The estimator has its own.
    n_jobs : int, optional
        Number of folds that run in parallel. The results are those of one job.
    verbose : int, default=0
        Whether to show a progress bar.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As of `sklearn.model_selection.GridSearchCV`, with a row for each trial, and ``state``:
        ``"complete"``, ``"pruned"`` or ``"failed"``. ``n_steps`` is the number of folds that were
        evaluated, or with ``pruning="epochs"`` that of epochs.
    best_estimator_, best_score_, best_params_, best_index_, scorer_, refit_time_, n_splits_
        As of `sklearn.model_selection.GridSearchCV`, among the trials that are complete.
    study_ : optuna.Study
        A copy in memory, for ``optuna.visualization``. Values that a database cannot hold are
        replaced by labels, and distributions of scipy other than uniform ones by quantiles.
    n_reused_ : int
        Number of trials that were found in the storage.

    Raises
    ------
    ImportError
        In ``fit``, if Optuna is not installed.
    ValueError
        In ``fit``, if the space is invalid, no trial is complete, or ``pruning="epochs"`` and the
        training cannot be continued, as in `EpochHalvingSearchCV`.
    OSError
        In ``fit``, if the storage cannot be read or written.
    LeakageError
        In ``fit``, if the splits of `EEGData` divide what the leakage guard keeps together.

    See Also
    --------
    EpochHalvingSearchCV : Tries all candidates for a few epochs first.

    Notes
    -----
    A trial is stored under a key of the estimator, the space, the data, the splits, the scoring,
    the seed and the versions of packages. If one of these changes, the search begins anew. A
    candidate that is drawn again is not computed again. Only whole trials are stored; with
    `Memoized` as the estimator, so are finished folds.

    References
    ----------
    Akiba T. et al. (2019). Optuna: a next-generation hyperparameter optimization framework. KDD.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from skeeg import EEGNetClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.model_selection import OptunaSearchCV
    >>> data = simulate_motor_imagery(n_subjects=1, n_trials=10, n_runs=2, random_state=0)
    >>> network = EEGNetClassifier(max_epochs=2, random_state=0)
    >>> space = {"lr": loguniform(1e-4, 1e-2), "activation": ["elu", "relu"]}
    >>> search = OptunaSearchCV(network, space, n_trials=3, cv=2, random_state=0).fit(data)
    >>> sorted(search.best_params_)
    ['activation', 'lr']
    """

    _parameter_constraints: dict[str, Any] = {
        **BaseSearchCV._parameter_constraints,
        "param_distributions": [dict, list],
        "n_trials": [Interval(Integral, 1, None, closed="left")],
        "pruning": [StrOptions({"folds", "epochs"}), None],
        "pruner": [object, None],
        "sampler": [callable, None],
        "scoring": [str, callable, None],
        "refit": ["boolean"],
        "random_state": ["random_state"],
    }
    del _parameter_constraints["pre_dispatch"], _parameter_constraints["cv"]

    def __init__(
        self,
        estimator: Any,
        param_distributions: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        n_trials: int = 20,
        pruning: str | None = None,
        pruner: Any = None,
        sampler: Callable[..., Any] | None = None,
        storage: Any = None,
        cv: Any = None,
        scoring: Any = None,
        refit: bool = True,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.param_distributions = param_distributions
        self.n_trials = n_trials
        self.pruning = pruning
        self.pruner = pruner
        self.sampler = sampler
        self.storage = storage
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.random_state = random_state
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
        _require_optuna()
        y = X.y if y is None and isinstance(X, LabelledRows) else y
        space = OptunaSpace(self.param_distributions)
        self._check_pruning()
        scorer, _ = self._get_scorers()
        routed = self._get_routed_params_for_fit(params)
        groups = routed.splitter.split.get("groups")
        evaluation = Evaluation(
            search=self,
            X=X,
            y=y,
            splits=inner_splits(self.cv, self.estimator, X, y, groups),
            scorer=scorer,
            fit_params=routed.estimator.fit,
            score_params=routed.scorer.score,
        )
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        with _quiet_optuna():
            stored = self._stored(evaluation, seed)
            if stored is not None and self.random_state is None:
                seed = stored.seed(seed)
            study = self._run(space, evaluation, stored, seed)
        results, best = results_of(self, study, space, len(evaluation.splits))
        self.study_, self.cv_results_, self.best_index_ = study, results, best
        self.multimetric_, self.scorer_, self.n_splits_ = False, scorer, len(evaluation.splits)
        self.best_score_ = results["mean_test_score"][best]
        self.best_params_ = results["params"][best]
        if self.refit:
            fitted = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
            self.best_estimator_, self.refit_time_ = evaluation.refitted(fitted)
            if hasattr(self.best_estimator_, "feature_names_in_"):
                self.feature_names_in_ = self.best_estimator_.feature_names_in_
        return self

    def _run_search(self, evaluate_candidates: Any) -> None:
        """Do nothing: `fit` does not use it, but the base class is abstract without."""

    def _check_pruning(self) -> None:
        if self.pruning is None and self.pruner is not None:
            raise ValueError("pruner needs pruning='folds' or pruning='epochs'.")
        if self.pruning == "epochs":
            found = network_of(self.estimator)
            if found is None:
                raise ValueError(
                    "pruning='epochs' needs a network of skeeg, or a pipeline that ends in one; "
                    f"got {type(self.estimator).__name__}. Use pruning='folds'."
                )
            check_continues(found[1])

    def _run(
        self, space: OptunaSpace, evaluation: Evaluation, stored: StoredTrials | None, seed: int
    ) -> Any:
        """Return a study in memory with all trials, after keeping the new ones."""
        import optuna

        make_sampler = self.sampler or optuna.samplers.TPESampler
        pruner = self.pruner or optuna.pruners.MedianPruner()
        study = optuna.create_study(direction="maximize", pruner=pruner)
        found = [] if stored is None else stored.finished()[: self.n_trials]
        study.add_trials(found)
        self.n_reused_ = len(found)
        with (
            tqdm(total=self.n_trials, initial=len(found), unit="trial", disable=not self.verbose)
            as progress,
            evaluation.workers(),
        ):  # fmt: skip
            for index in range(len(found), self.n_trials):
                # A sampler of its own, so that a search which is resumed draws the same candidates.
                study.sampler = make_sampler(seed=_seed_of(seed, index))
                trial = study.ask()
                candidate = space.suggest(trial)
                trial.set_user_attr(INDEX, index)
                evaluation.evaluate(study, trial, candidate)
                if stored is not None:
                    stored.add(study.trials[index])
                progress.update()
        return study

    def _stored(self, evaluation: Evaluation, seed: int) -> StoredTrials | None:
        if self.storage is None:
            return None
        try:
            name = identify(
                "optuna search",
                fit_context(),
                Cloned(self.estimator),
                *(self.param_distributions, self.pruning, self.pruner, self.sampler),
                *(evaluation.X, evaluation.y, evaluation.splits),
                sorted(evaluation.fit_params.items()),
                sorted(evaluation.score_params.items()),
                *(self.scoring, self.error_score, self.return_train_score),
                None if self.random_state is None else seed,
            )
        except Unidentifiable as error:
            warnings.warn(
                f"The search cannot be identified in another run, so it is not stored: {error}.",
                UserWarning,
                stacklevel=user_stacklevel(),
            )
            return None
        return StoredTrials(self.storage, f"skeeg-{name}")


def _require_optuna() -> None:
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "OptunaSearchCV needs the package optuna. Install it with pip install 'skeeg[optuna]'."
        ) from error


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    """Do not log that a study was created."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(before, optuna.logging.WARNING))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _seed_of(seed: int, index: int) -> int:
    return int(np.random.SeedSequence([seed, index]).generate_state(1)[0])
