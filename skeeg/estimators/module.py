"""Estimators of any torch module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from .._other_networks import other_network
from .._parameters import Parameters, parameter
from .._validation import MAPS, POINTS, SIGNALS, TrialAxes
from ..layers import make_activation
from ..networks import EEGNet
from ._names import accepted_names
from ._selection import ChannelSelection
from .base import NetworkEstimator
from .classifier import NetworkClassifier
from .regressor import NetworkRegressor


class ModuleParameters(Parameters):
    """Parameters of estimators whose network is a parameter."""

    module: Callable[..., Any] | str = parameter(
        default=EEGNet,
        kind="class, callable, torch.nn.Module or str",
        doc="""Class or function that returns a network, or the name of a network of braindecode,
        such as ``"braindecode.EEGConformer"``, if braindecode is installed. The network takes a
        tensor of shape (n_trials, n_chans, n_times) and returns a tensor of shape (n_trials,
        n_outputs): logits or log-probabilities of classes, or the targets of a regression. A module
        instance is copied, and must have the shape of the data. Set arguments of the constructor
        with a prefix, as in ``module__kernel_length=32``. A module can change its training with the
        hooks of `skeeg.estimators.TrainingHooks`.""",
    )
    activation: str | None = parameter(
        default=None,
        doc="""A name in `skeeg.layers.ACTIVATIONS`, for modules whose constructor has an argument
        ``activation``. None uses the module's default.""",
    )
    alpha: float | None = parameter(
        default=None,
        doc="Coefficient of ELU or slope of leaky ReLU; None is the default of the function.",
    )


class _ModuleEstimator(ModuleParameters, ChannelSelection, NetworkEstimator):
    """Base class of the classifier and the regressor of any module."""

    @property
    def _trial_axes(self) -> TrialAxes:  # type: ignore[override]
        """Axes of maps or of features, if the constructor has arguments for their sizes."""
        names = accepted_names(self._module_constructor()) or set()
        return next((axes for axes in (MAPS, POINTS) if names.issuperset(axes.names)), SIGNALS)

    def _module_constructor(self) -> Any:
        if isinstance(self.module, str):
            return other_network(self.module)
        return super()._module_constructor()

    def _component_constructors(self) -> dict[str, Any]:
        # fit raises the error of a name that cannot be resolved.
        try:
            return super()._component_constructors()
        except (ImportError, ValueError):
            return {}

    def _network_params(self) -> dict[str, Any]:
        return {}

    def _module_params(self, explicit: Mapping[str, Any]) -> dict[str, Any]:
        params = super()._module_params(explicit)
        activation, alpha = self.activation, self.alpha
        if activation is None and alpha is None:
            return params
        names = accepted_names(self._module_constructor()) or set()
        if activation is None or "activation" not in names:
            raise ValueError(
                f"activation={activation!r} with alpha={alpha!r} cannot be passed to this module: "
                + (
                    "alpha needs an activation."
                    if activation is None
                    else "its constructor has no parameter activation. "
                )
                + f"It takes {', '.join(sorted(names))}."
            )
        if "alpha" in names:  # as in skeeg's networks, which take the name of the function
            return params | {"activation": activation, "alpha": alpha}
        # Networks of other packages take a class and call it without arguments.
        make_activation(activation, alpha)
        return params | {"activation": partial(make_activation, activation, alpha)}


class ModuleClassifier(_ModuleEstimator, NetworkClassifier):
    """Any torch module that maps EEG trials to logits, as a scikit-learn classifier.

    ``n_chans``, ``n_times``, ``n_outputs`` and ``sfreq`` are passed to the module's constructor if
    it has arguments of these names. These are also the names in braindecode, whose networks can be
    given by name, as in ``module="braindecode.EEGConformer"``. A module whose constructor has
    arguments ``n_bands``, ``height`` and ``width`` is fitted to topographic maps, as
    `skeeg.CCNNClassifier` is.

    Examples
    --------
    >>> from torch import nn
    >>> from skeeg import ModuleClassifier
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> class Linear(nn.Sequential):
    ...     def __init__(self, n_chans, n_times, n_outputs):
    ...         super().__init__(nn.Flatten(), nn.Linear(n_chans * n_times, n_outputs))
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> clf = ModuleClassifier(module=Linear, max_epochs=2, random_state=0)
    >>> clf.fit(data, data.y).predict(data[:3]).shape
    (3,)
    """


class ModuleRegressor(_ModuleEstimator, NetworkRegressor):
    """Any torch module that maps EEG trials to values, as a scikit-learn regressor.

    The module is constructed as in `ModuleClassifier`; ``n_outputs`` is the number of targets.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> from skeeg import ModuleRegressor
    >>> class Linear(nn.Sequential):
    ...     def __init__(self, n_chans, n_times, n_outputs):
    ...         super().__init__(nn.Flatten(), nn.Linear(n_chans * n_times, n_outputs))
    >>> X = np.random.default_rng(0).standard_normal((40, 2, 8))
    >>> y = 50 + 10 * X[:, 0, 0]
    >>> reg = ModuleRegressor(module=Linear, lr=0.05, random_state=0).fit(X, y)
    >>> bool(reg.score(X, y) > 0.95)
    True
    """
