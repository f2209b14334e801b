"""Classifiers of raw EEG may learn which channels they need, together with the network."""

from __future__ import annotations

import numbers
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback, EarlyStopping

from .._validation import SIGNALS
from ..layers import GumbelChannelSelection
from ._parameters import check_number
from .base import NetworkClassifier

#: Slots of a mean normalised entropy of at most this have settled on an electrode each.
SETTLED = 0.05

#: The learning rate of logits times the number of steps that choose, where none is given. Adam
#: moves a weight by about its learning rate at most in a step, which the schedule makes a third of
#: that in the mean, and a slot is sure of one electrode in 64 when that is some 10 ahead.
_DISTANCE = 120.0


class TrainedSelection(GumbelChannelSelection):
    """A selection layer that knows how a classifier is to train it.

    Its keyword parameters are what classifiers take as ``selection__penalty`` and the like.

    Parameters
    ----------
    n_chans, n_selected : int
        As in `GumbelChannelSelection`.
    temperature, threshold : (float, float)
        As there.
    penalty : float
        As there.
    unique : bool
        As there.
    lr : float, optional
        Learning rate of the logits when the temperature passes 1, times the temperature where it
        is lower and divided by it where it is higher; None lets it depend on the number of steps.
    fine_tuning : float, default=0.2
        Part of the epochs, at the end, that train the network alone, on the channels chosen.
    """

    def __init__(
        self,
        n_chans: int,
        n_selected: int,
        /,
        *,
        temperature: tuple[float, float] = (10.0, 0.1),
        threshold: tuple[float, float] = (3.0, 1.1),
        penalty: float = 0.1,
        unique: bool = False,
        lr: float | None = None,
        fine_tuning: float = 0.2,
    ) -> None:
        super().__init__(
            n_chans,
            n_selected,
            temperature=temperature,
            threshold=threshold,
            penalty=penalty,
            unique=unique,
        )
        if lr is not None:
            check_number("selection__lr", lr, numbers.Real, low=0, open_low=True)
        check_number(
            "selection__fine_tuning", fine_tuning, numbers.Real, low=0, high=1, open_high=True
        )
        self.lr = lr
        self.fine_tuning = fine_tuning

    def choosing_epochs(self, max_epochs: int) -> int:
        """Return how many epochs of a training choose, before the network is trained alone."""
        return max(1, round((1 - self.fine_tuning) * max_epochs))

    @property
    def is_settled(self) -> bool:
        """Whether slots are sure of what they evaluate, or have been told."""
        if self.frozen:
            return True
        sure = bool(self.entropy() <= SETTLED)
        return sure and bool((self.selected() == self.logits.argmax(dim=0)).all())


class SelectionSchedule(Callback):
    """Lead the selection of a classifier through its training.

    Temperature, threshold and the learning rate of the logits follow the epochs; the entropy is
    recorded after each.
    """

    def on_epoch_begin(self, net: Any, dataset_train: Any = None, **kwargs: Any) -> None:
        """Say how far the training is; one that goes on never goes back."""
        selection = net.module_.selection
        n_before, n_choosing = len(net.history) - 1, selection.choosing_epochs(net.max_epochs)
        selection.set_progress(max(selection.progress, min(1.0, n_before / n_choosing)))
        if n_before >= n_choosing:
            selection.freeze()
        lr = selection.lr
        if lr is None:
            n_steps = n_choosing * len(net.get_iterator(dataset_train, training=True))
            lr = max(net.lr, _DISTANCE / n_steps)
        # Before slots are nearly one electrode each, the network has not learnt what to choose by;
        # long after, what moves a saturated choice is noise that Adam has blown up.
        beta = selection.current_temperature
        for group in net.optimizer_.param_groups:
            if group.get("selection"):
                group["lr"] = lr * min(beta, 1 / beta)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Record how undecided the slots are."""
        net.history.record("selection_entropy", net.module_.selection.entropy().item())

    def on_train_end(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Warn where the choice remained a matter of chance."""
        entropy = net.module_.selection.entropy().item()
        if entropy > SETTLED:
            warnings.warn(
                f"The channel selection of {type(net).__name__} has not settled: its mean "
                f"normalised entropy is {entropy:.2f} after {len(net.history)} epochs, where "
                f"{SETTLED:g} would be. Give it more epochs or a higher learning rate of its own "
                "(selection__lr), or a lower selection__penalty where slots compete for few "
                "informative channels.",
                ConvergenceWarning,
                stacklevel=2,
            )


class StoppingWhenSettled(EarlyStopping):
    """Early stopping that neither counts epochs nor keeps weights before the selection settles."""

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Look at the epoch, if the network will be evaluated on what it was trained on."""
        if net.n_selected_chans is None or net.module_.selection.is_settled:
            super().on_epoch_end(net, **kwargs)


class ChannelSelectingClassifier(NetworkClassifier):
    """Base of the classifiers of raw EEG, which have a parameter ``n_selected_chans``.

    Where it is given, ``module_`` is a selection layer followed by a network of that many
    channels, both trained together. Nothing is precomputed of the trials then: what enters the
    network is drawn anew for every step.
    """

    n_selected_chans: int | None = None
    _early_stopping: type[EarlyStopping] = StoppingWhenSettled

    # ------------------------------------------------------------------ what came out

    @property
    def selected_channels_(self) -> NDArray[np.int64]:
        """The channels chosen, in the order in which the network sees them."""
        return self._fitted_selection("selected_channels_").selected().cpu().numpy()

    @property
    def selection_probabilities_(self) -> NDArray[np.float32]:
        """The probability of each channel in each input of the network."""
        selection = self._fitted_selection("selection_probabilities_")
        return selection.probabilities().detach().cpu().numpy()

    @property
    def selection_entropy_(self) -> NDArray[np.float64]:
        """How undecided the selection was after each epoch, from 1 to 0."""
        self._fitted_selection("selection_entropy_")
        return np.array(self.history[:, "selection_entropy"])

    @property
    def _selection(self) -> Any:
        """The selection layer, where there is one."""
        return self.module_.selection

    def _fitted_selection(self, attribute: str) -> TrainedSelection:
        name = type(self).__name__
        if self.n_selected_chans is None:
            raise AttributeError(
                f"{name} has no {attribute}: it uses all channels. "
                "To choose some, fit it with n_selected_chans."
            )
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"{name} has no {attribute} before it is fitted.")
        return self._selection

    # ------------------------------------------------------------------ parameters

    @classmethod
    def _network_param_names(cls) -> list[str]:
        return [name for name in super()._network_param_names() if name != "n_selected_chans"]

    def _component_constructors(self) -> dict[str, Any]:
        return super()._component_constructors() | {"selection": TrainedSelection}

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.n_selected_chans is None:
            return
        check_number(
            "n_selected_chans, where it is not None,",
            self.n_selected_chans,
            numbers.Integral,
            low=1,
        )
        if self._trial_axes is not SIGNALS:
            raise ValueError(
                f"n_selected_chans={self.n_selected_chans} chooses channels of raw EEG, but the "
                f"module of this {type(self).__name__} takes maps. Leave it None."
            )

    def _module_params(self, explicit: Mapping[str, Any]) -> dict[str, Any]:
        params = super()._module_params(explicit)
        if self.n_selected_chans is not None and "n_chans" in params:
            params["n_chans"] = int(self.n_selected_chans)
        return params

    # ------------------------------------------------------------------ training

    def initialize_module(self) -> ChannelSelectingClassifier:
        """Build the network, behind a selection layer where channels are to be chosen.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If more channels are to be chosen than there are.
        """
        if self.n_selected_chans is None:
            super().initialize_module()
            return self
        n_chans = getattr(self, "n_chans_", None)
        if n_chans is None or self.n_selected_chans > n_chans:
            there = "it is not known before fit" if n_chans is None else f"X has {n_chans}"
            raise ValueError(
                f"n_selected_chans must be at most the number of channels of X, got "
                f"{self.n_selected_chans}: {there}."
            )
        super().initialize_module()
        selection = TrainedSelection(
            n_chans, int(self.n_selected_chans), **self.get_params_for("selection")
        )
        self.module_ = torch.nn.Sequential(OrderedDict(selection=selection, network=self.module_))
        # What every network of skeeg tells of its input.
        self.module_.n_chans, self.module_.n_times = n_chans, self.n_times_
        return self

    def get_params_for_optimizer(
        self, prefix: str, named_parameters: Any
    ) -> tuple[tuple[list[dict[str, Any]]], dict[str, Any]]:
        """Return the groups of weights and the options that the optimiser is made with.

        Parameters
        ----------
        prefix : str
        named_parameters : iterable of (str, Parameter)

        Returns
        -------
        args, kwargs : tuple, dict
            The selection's logits are a group of their own without weight decay, unless
            ``optimizer__param_groups`` says something else of them.
        """
        if self.n_selected_chans is None:
            return super().get_params_for_optimizer(prefix, named_parameters)
        logits = self._selection.logits
        patterns = [of for of, _ in self.get_params_for(prefix).get("param_groups", [])]
        named = [
            (name, weight)
            for name, weight in named_parameters
            if weight is not logits or any(fnmatch(name, pattern) for pattern in patterns)
        ]
        args, kwargs = super().get_params_for_optimizer(prefix, named)
        if all(weight is not logits for _, weight in named):
            args[0].append({"params": [logits], "weight_decay": 0.0, "selection": True})
        return args, kwargs

    def get_default_callbacks(self) -> list[tuple[str, Any]]:
        """Return the callbacks that run beside those of the ``callbacks`` parameter.

        Returns
        -------
        callbacks : list of (str, Callback)
        """
        callbacks = super().get_default_callbacks()
        if self.n_selected_chans is None:
            return callbacks
        # Before early stopping, which asks how the selection is, and the log, which shows it.
        return [("selection", SelectionSchedule()), *callbacks]

    def get_loss(self, y_pred: Any, y_true: Any, X: Any = None, training: bool = False) -> Any:
        """Return the mean of the trials' losses and, in training, the selection's penalty.

        Parameters
        ----------
        y_pred, y_true, X, training
            As in `NetworkClassifier.get_loss`.

        Returns
        -------
        loss : torch.Tensor, scalar
        """
        loss = super().get_loss(y_pred, y_true, X=X, training=training)
        if self.n_selected_chans is None or not training:
            return loss
        return loss + self._selection.duplicate_penalty()
