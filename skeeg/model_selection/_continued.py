"""Fits that continue the training of an earlier fit of the same candidate to the same trials."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import joblib
from sklearn.pipeline import Pipeline

from ._candidate import CandidateFit, load_fit, save_fit

_ADVICE = "Use GridSearchCV or HalvingGridSearchCV(resource='max_epochs'): they train anew."


def network_of(estimator: Any) -> tuple[str, Any] | None:
    """Return the network of skeeg that an estimator ends in.

    Parameters
    ----------
    estimator : estimator
        A network, or a pipeline whose last step is one.

    Returns
    -------
    prefix, network : str, NetworkEstimator
        What precedes the names of the network's parameters, such as ``"eegnetclassifier__"``. None
        if the estimator does not end in a network.
    """
    from ..estimators.base import NetworkEstimator

    prefix = ""
    while isinstance(estimator, Pipeline):
        name, estimator = estimator.steps[-1]
        prefix += f"{name}__"
    return (prefix, estimator) if isinstance(estimator, NetworkEstimator) else None


def check_continues(network: Any) -> None:
    """Raise a ValueError if a training in parts would differ from one without a break.

    Parameters
    ----------
    network : NetworkEstimator
    """
    name = type(network).__name__
    problems = {
        "early_stopping": "sets aside other trials for validation when a training continues",
        "train_split": "may divide the trials differently when a training continues",
        "compile": "draws random numbers that cannot be continued",
        "callbacks": "may begin anew when a training continues",
        "n_selected_chans": "selects channels by a schedule over all epochs",
    }
    for parameter, problem in problems.items():
        value = getattr(network, parameter, None)
        if value is not None and value is not False:
            raise ValueError(
                f"The training of {name} cannot be continued: {parameter}={value!r:.60} {problem}. "
                f"{_ADVICE}"
            )


class ContinuedFit(CandidateFit):
    """An estimator whose `fit` continues where that of the same candidate with fewer epochs ended.

    The trained estimators are kept as files, so that workers need not be the same processes. If a
    file is missing, the training begins anew, with the same result.

    Parameters
    ----------
    estimator : estimator
        A network, or a pipeline that ends in one. Its parameters are those of this estimator.
    folder : str
        Folder of the trained estimators and of the output of the preprocessing.
    candidate : dict, optional
        The parameters that were set.
    """

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Train the estimator to its number of epochs, from where an earlier fit ended."""
        prefix, network = _required_network(self.estimator)
        check_continues(network)
        n_epochs, path = network.max_epochs, self._path(prefix, X, y, params)
        trained = load_fit(path)
        n_trained = 0 if trained is None else len(_required_network(trained)[1].history)
        if trained is not None and n_trained == n_epochs:
            self.estimator = trained
        else:
            if trained is not None and n_trained < n_epochs:
                network = _required_network(trained)[1]
                if prefix:
                    step = prefix.removesuffix("__")
                    self.estimator.set_params(**{step: network})
                else:
                    self.estimator = network
            else:
                n_trained = 0
            self._train(network, n_epochs, n_epochs - n_trained, X, y, params)
            save_fit(path, self.estimator)
        return self

    def _train(
        self, network: Any, n_epochs: int, n_more: int, X: Any, y: Any, params: dict[str, Any]
    ) -> None:
        warm_start = network.warm_start
        uncached = [step for step in _pipelines(self.estimator) if step.memory is None]
        try:
            network.set_params(max_epochs=n_more, warm_start=True)
            for pipeline in uncached:
                pipeline.memory = str(Path(self.folder) / "preprocessing")
            self.estimator.fit(X, y, **params)
        finally:
            network.set_params(max_epochs=n_epochs, warm_start=warm_start)
            for pipeline in uncached:
                pipeline.memory = None
        if getattr(network.module_, "training_callbacks", list)():
            raise ValueError(
                f"The network of {type(network).__name__} has training_callbacks, which may begin "
                f"anew when a training continues. {_ADVICE}"
            )

    def _path(self, prefix: str, X: Any, y: Any, params: dict[str, Any]) -> Path:
        candidate = dict(self.candidate or {})
        candidate.pop(f"{prefix}max_epochs", None)
        names = joblib.hash(candidate), joblib.hash([X, y, params])
        return Path(self.folder, *names).with_suffix(".pickle")


def _required_network(estimator: Any) -> tuple[str, Any]:
    found = network_of(estimator)
    if found is None:
        raise ValueError(
            "A training by parts needs a network of skeeg, or a pipeline that ends in one; got "
            f"{type(estimator).__name__}. {_ADVICE}"
        )
    return found


def _pipelines(estimator: Any) -> list[Pipeline]:
    """Return a pipeline and those nested in its last step."""
    found = []
    while isinstance(estimator, Pipeline):
        found.append(estimator)
        estimator = estimator.steps[-1][1]
    return found
