"""What ensembles share: how their members are made, trained and described."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metadata_routing import (
    UNUSED,
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from .._checks import check_positive_ints
from .._warnings import user_stacklevel
from ..estimators._sharing import shared_training_data


def _has(method: str) -> Any:
    """Return a check whether the members of an ensemble have a method."""
    return lambda ensemble: hasattr(ensemble.estimator, method)


class Ensemble(MetaEstimatorMixin, BaseEstimator):
    """Base of ensembles; a derived class averages what the members predict."""

    #: What the estimator must be, for messages.
    _needs: ClassVar[str]

    # What members ask for is declared by the estimator, so that there is no request to set here.
    __metadata_request__fit: ClassVar[dict[str, Any]] = {
        "sample_weight": UNUSED,
        "groups": UNUSED,
    }
    __metadata_request__partial_fit: ClassVar[dict[str, Any]] = {
        "sample_weight": UNUSED,
        "groups": UNUSED,
        "classes": UNUSED,
    }

    estimators_: list[Any]
    seeds_: list[int]

    def __init__(
        self,
        estimator: Any,
        n_members: int = 5,
        random_state: Any = None,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_members = n_members
        self.random_state = random_state
        self.warm_start = warm_start
        self.n_jobs = n_jobs

    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, groups: Any = None, **params: Any
    ) -> Self:
        """Fit the members.

        Parameters
        ----------
        X : array-like, EEGData, mne.Epochs or torch.utils.data.Dataset
        y : array-like of shape (n_trials,)
        sample_weight, groups : array-like of shape (n_trials,), optional
            As in the ``fit`` of the estimator.
        **params
            Further arguments for the ``fit`` of every member.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError
            If the estimator is not of the task of the ensemble.
        ValueError
            If `n_members` is not positive, or with `warm_start` less than the number of members.

        Warns
        -----
        UserWarning
            If the estimator has no ``random_state``, so that all members are equal.
        """
        self._check_members()
        kept = list(getattr(self, "estimators_", [])) if self.warm_start else []
        if len(kept) > self.n_members:
            raise ValueError(
                f"n_members={self.n_members} is less than the {len(kept)} members that are fitted. "
                "With warm_start=True members are only added; pass warm_start=False to start again."
            )
        seeds = [*self.seeds_[: len(kept)], *self._seeds()[len(kept) :]] if kept else self._seeds()
        params = self._routed("fit", params, sample_weight=sample_weight, groups=groups)
        added = [self._member(seed) for seed in seeds[len(kept) :]]
        added = self._trained("fit", added, seeds[len(kept) :], len(kept), X, y, params)
        self.estimators_, self.seeds_ = kept + added, seeds
        return self

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        classes: Any = None,
        sample_weight: Any = None,
        groups: Any = None,
        **params: Any,
    ) -> Self:
        """Train every member further, or for the first time.

        Parameters
        ----------
        X, y, sample_weight, groups
            As in `fit`.
        classes : array-like, optional
            All class labels that any later call may contain. Not for regressors.
        **params
            Further arguments for the ``partial_fit`` of every member.

        Returns
        -------
        self : object
        """
        self._check_members()
        params = self._routed(
            "partial_fit", params, classes=classes, sample_weight=sample_weight, groups=groups
        )
        fitted = hasattr(self, "estimators_")
        seeds = self.seeds_ if fitted else self._seeds()
        members = self.estimators_ if fitted else [self._member(seed) for seed in seeds]
        members = self._trained("partial_fit", members, seeds, 0, X, y, params)
        self.estimators_, self.seeds_ = members, seeds
        return self

    @available_if(_has("adapt"))  # type: ignore[untyped-decorator]
    def adapt(self, X: Any, *, rescale: bool = True) -> Self:
        """Adapt every member to a new domain, by unlabelled trials.

        Parameters
        ----------
        X, rescale
            As in the ``adapt`` of the members.

        Returns
        -------
        self : object
            Changed in place.
        """
        check_is_fitted(self)
        for member in self.estimators_:
            member.adapt(X, rescale=rescale)
        return self

    @available_if(_has("finetune"))  # type: ignore[untyped-decorator]
    def finetune(self, X: Any, y: Any = None, **options: Any) -> Self:
        """Train every member further on a few labelled trials of a new domain.

        Parameters
        ----------
        X, y, **options
            As in the ``finetune`` of the members.

        Returns
        -------
        self : object
            Changed in place.
        """
        check_is_fitted(self)
        for index, (member, seed) in enumerate(zip(self.estimators_, self.seeds_, strict=True)):
            _train(member, "finetune", index, seed, X, y, options)
        return self

    def _is_of_task(self) -> bool:
        """Return whether the members predict what the ensemble averages."""
        raise NotImplementedError

    def _check_members(self) -> None:
        check_positive_ints(n_members=self.n_members)
        if not self._is_of_task():
            raise TypeError(
                f"{type(self).__name__} cannot average {type(self.estimator).__name__}. "
                f"It needs {self._needs}."
            )
        if self.n_members > 1 and not _seeded(self.estimator):
            warnings.warn(
                f"{type(self.estimator).__name__} has no random_state, so that all members of this "
                f"{type(self).__name__} are equal.",
                stacklevel=user_stacklevel(),
            )

    def _trained(
        self,
        method: str,
        members: list[Any],
        seeds: list[int],
        first: int,
        X: Any,
        y: Any,
        params: dict[str, Any],
    ) -> list[Any]:
        """Return members after training them, in parallel if ``n_jobs`` says so."""
        with shared_training_data():
            trained: list[Any] = Parallel(n_jobs=self.n_jobs)(
                delayed(_train)(member, method, index, seed, X, y, params)
                for index, (member, seed) in enumerate(zip(members, seeds, strict=True), first)
            )
        return trained

    def _seeds(self) -> list[int]:
        generator = check_random_state(self.random_state)
        return [int(generator.randint(2**31 - 1)) for _ in range(self.n_members)]

    def _member(self, seed: int) -> Any:
        member = clone(self.estimator)
        return member.set_params(**dict.fromkeys(_seeded(member), seed))

    def _routed(self, method: str, params: dict[str, Any], **named: Any) -> dict[str, Any]:
        params = params | {name: value for name, value in named.items() if value is not None}
        if _routing_enabled():
            return dict(process_routing(self, method, **params).estimator[method])
        return params

    def get_metadata_routing(self) -> MetadataRouter:
        """Return which metadata the members ask for.

        Returns
        -------
        routing : sklearn.utils.metadata_routing.MetadataRouter
        """
        mapping = MethodMapping()
        for method in ("fit", "partial_fit"):
            mapping.add(caller=method, callee=method)
        return MetadataRouter(owner=type(self).__name__).add(
            estimator=self.estimator, method_mapping=mapping
        )

    @property
    def n_features_in_(self) -> int:
        """Number of features that the members saw in ``fit``."""
        try:
            return int(self.estimators_[0].n_features_in_)
        except AttributeError as error:
            raise AttributeError(
                f"{type(self).__name__} has no attribute n_features_in_: it is not fitted, or its "
                "members have none."
            ) from error

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """Names of the columns of a data frame that the members saw in ``fit``."""
        try:
            return np.asarray(self.estimators_[0].feature_names_in_)
        except AttributeError as error:
            raise AttributeError(
                f"{type(self).__name__} has no attribute feature_names_in_: it is not fitted, or "
                "was fitted without names."
            ) from error

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimators_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags, tags.target_tags = inner.input_tags, inner.target_tags
        tags.non_deterministic = inner.non_deterministic
        return tags


def _train(
    member: Any, method: str, index: int, seed: int, X: Any, y: Any, params: dict[str, Any]
) -> Any:
    try:
        return getattr(member, method)(X, y, **params)
    except Exception as error:
        error.add_note(f"Raised by member {index} of the ensemble, with random_state={seed}.")
        raise


def _seeded(estimator: Any) -> list[str]:
    """Return the names of the parameters that are seeds."""
    names = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else ()
    return [name for name in names if name == "random_state" or name.endswith("__random_state")]
