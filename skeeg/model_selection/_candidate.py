"""An estimator in a search that knows its candidate, and the files of trained estimators."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, Self

import cloudpickle
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from .._files import atomic_path


class CandidateFit(BaseEstimator):
    """An estimator that notes the parameters which a search sets.

    Subclasses define `fit`.

    Parameters
    ----------
    estimator : estimator
        Its parameters and methods are those of this estimator.
    folder : str
        Folder of trained estimators.
    candidate : dict, optional
        The parameters that were set.
    """

    def __init__(
        self, estimator: Any, folder: str, candidate: dict[str, Any] | None = None
    ) -> None:
        self.estimator = estimator
        self.folder = folder
        self.candidate = candidate

    def __sklearn_clone__(self) -> Self:
        return type(self)(clone(self.estimator), self.folder, self.candidate)

    def __sklearn_tags__(self) -> Any:
        return get_tags(self.estimator)

    def __sklearn_is_fitted__(self) -> bool:
        try:
            check_is_fitted(self.estimator)
        except NotFittedError:
            return False
        return True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "estimator" not in vars(self):
            raise AttributeError(name)
        return getattr(self.estimator, name)

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        return self.estimator.__repr__(N_CHAR_MAX)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters of the estimator."""
        return self.estimator.get_params(deep=deep)

    def set_params(self, **params: Any) -> Self:
        """Set parameters of the estimator."""
        self.estimator.set_params(**params)
        self.candidate = (self.candidate or {}) | params
        return self

    def get_metadata_routing(self) -> Any:
        """Return the metadata routing of the estimator."""
        return self.estimator.get_metadata_routing()


def adopt_results(search: Any, finished: Any) -> None:
    """Set the fitted attributes of a search to those of the one that it has run.

    Parameters
    ----------
    search : BaseSearchCV
    finished : BaseSearchCV
        Its best estimator may be a `CandidateFit`, whose estimator is taken.
    """
    for name, value in vars(finished).items():
        if name.endswith("_"):
            setattr(search, name, value.estimator if isinstance(value, CandidateFit) else value)


def load_fit(path: Path) -> Any:
    """Return what `save_fit` wrote, or None if there is no such file."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        return pickle.load(file)


def save_fit(path: Path, fitted: Any) -> None:
    """Write a fitted estimator, or the error of its fit, to a file."""
    # Classes that a user defined in a script or a notebook have no name in a worker process.
    with atomic_path(path) as partial, partial.open("wb") as file:
        cloudpickle.dump(fitted, file)
