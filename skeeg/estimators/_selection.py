"""Channel selection of estimators: by elimination, or by a layer before the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .._checks import check_positive_ints
from .._parameters import Parameters, parameter
from .._validation import SIGNALS
from ._gumbel import ChannelSelectingNetwork, TrainedSelection
from ._hooks import uncompiled

ELIMINATION, GUMBEL = "elimination", "gumbel"

#: Options of each method, which are parameters of estimators with the prefix ``selection__``.
OPTIONS = {
    ELIMINATION: ("start", "end"),
    GUMBEL: ("temperature", "threshold", "penalty", "unique", "lr", "fine_tuning"),
}

#: Hooks of `TrainingHooks` that a network keeps after selected channels.
_DELEGATED = ("penalty", "parameter_groups", "training_callbacks", "is_settled")


@dataclass(frozen=True)
class Selection:
    """Channels that elimination selected.

    Attributes
    ----------
    channels : ndarray of int, shape (n_selected,)
        In the order of the recording.
    ranking : ndarray of int, shape (n_chans,)
        1 for selected channels, 2 for the one that was removed last, and so on.
    saliency : ndarray of float32, shape (n_chans,)
        Share of the saliency of all channels that were left, when it was last computed.
    """

    channels: NDArray[np.int64]
    ranking: NDArray[np.int64]
    saliency: NDArray[np.float32]

    @classmethod
    def of_all(cls, n_chans: int) -> Self:
        """Return the selection of all channels, which needs no training."""
        return cls(
            np.arange(n_chans),
            np.ones(n_chans, dtype=np.int64),
            np.full(n_chans, 1 / n_chans, dtype=np.float32),
        )


class SelectedChannels(nn.Module):
    """Selected channels followed by a network for them.

    The hooks of the network, see `skeeg.estimators.TrainingHooks`, are also those of this module.

    Parameters
    ----------
    n_chans, n_selected : int
        Number of channels of a trial, and of those that the network takes.
    network : torch.nn.Module
        Network for trials of the selected channels.
    n_times : int
        Number of samples in a trial.
    """

    def __init__(self, n_chans: int, n_selected: int, network: nn.Module, n_times: int) -> None:
        super().__init__()
        self.n_chans, self.n_times = n_chans, n_times
        self.network = network
        # The state_dict holds what was selected. Before, the network takes the first channels.
        self.channels: Tensor
        self.register_buffer("channels", torch.arange(n_selected))
        self.register_buffer("ranking", torch.zeros(n_chans, dtype=torch.int64))
        self.register_buffer("saliency", torch.zeros(n_chans))

    def __getattr__(self, name: str) -> Any:
        if name in _DELEGATED:
            return getattr(self.network, name)
        if name == "precompute_trials":
            compute: Any = self.network.precompute_trials
            return lambda x: compute(x.index_select(1, self.channels))
        return super().__getattr__(name)

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """Return the network's output for trials of shape (batch, n_chans, n_times)."""
        return self.network(x.index_select(1, self.channels), *args, **kwargs)

    @property
    def is_selected(self) -> bool:
        """Whether channels were selected."""
        return bool((self.ranking > 0).any())

    def select(self, selection: Selection) -> None:
        """Set the selected channels."""
        self.channels.copy_(torch.from_numpy(selection.channels))
        self.ranking.copy_(torch.from_numpy(selection.ranking))
        self.saliency.copy_(torch.from_numpy(selection.saliency))

    def selection(self) -> Selection:
        """Return the selected channels."""
        found = (self.channels, self.ranking, self.saliency)
        return Selection(*(values.cpu().numpy().copy() for values in found))


def network_of(module: nn.Module) -> nn.Module:
    """Return the network that selected channels precede, and any other module as it is."""
    return module.network if isinstance(module, SelectedChannels) else module


class ChannelSelection(Parameters):
    """Channel selection of estimators for raw EEG.

    Attributes
    ----------
    selected_channels_ : ndarray of int, shape (n_selected_chans,)
        With `n_selected_chans`: the selected channels, in the order of the network's input.
    selected_ch_names_ : tuple of str or None
        Names of the selected channels, None if ``X`` had no names.
    selection_ranking_ : ndarray of int, shape (n_chans,)
        1 for selected channels, 2 for the channel that was removed last, and so on.
    selection_saliency_ : ndarray, shape (n_chans,)
        Share of each channel in the saliency of all channels that were left, when it was last
        computed.
    selection_probabilities_ : ndarray, shape (n_chans, n_selected_chans)
        With ``selection__method="gumbel"``: probability of each channel in each slot, which is a
        channel of the network's input.
    selection_entropy_ : ndarray, shape (n_epochs,)
        With ``selection__method="gumbel"``: mean normalised entropy of the selection after each
        epoch, from 1 (uniform) to 0 (certain).
    """

    n_selected_chans: int | None = parameter(
        default=None,
        doc="""Number of channels to select. A first training begins with all channels and removes
        those that its outputs depend on least; a second one trains the network on the selected
        channels. Options have a prefix: channels are removed from the proportion
        ``selection__start=0.6`` of the epochs to ``selection__end=0.9``. In one training, with
        ``selection__method="gumbel"``, see `skeeg.layers.GumbelChannelSelection` for the options.
        None uses all channels.""",
    )

    @property
    def selected_channels_(self) -> NDArray[np.int64]:
        """The selected channels, in the order of the network's input."""
        fitted = self._fitted_selection("selected_channels_")
        if isinstance(fitted, SelectedChannels):
            return fitted.selection().channels
        return fitted.selection.selected().cpu().numpy()

    @property
    def selected_ch_names_(self) -> tuple[str, ...] | None:
        """The names of the selected channels, in the order of the network's input."""
        self._fitted_selection("selected_ch_names_")
        names: tuple[str, ...] | None = self.ch_names_  # type: ignore[attr-defined]
        return None if names is None else tuple(names[i] for i in self.selected_channels_)

    @property
    def selection_ranking_(self) -> NDArray[np.int64]:
        """The rank of each channel, 1 for the selected ones."""
        return self._eliminated("selection_ranking_").ranking

    @property
    def selection_saliency_(self) -> NDArray[np.float32]:
        """The share of each channel in the saliency of all channels that were left."""
        return self._eliminated("selection_saliency_").saliency

    @property
    def selection_probabilities_(self) -> NDArray[np.float32]:
        """The probability of each channel in each slot."""
        selection = self._trained_layer("selection_probabilities_")
        return selection.probabilities().detach().cpu().numpy()

    @property
    def selection_entropy_(self) -> NDArray[np.float64]:
        """The mean normalised entropy of the selection after each epoch, from 1 to 0."""
        self._trained_layer("selection_entropy_")
        return np.array(self.history[:, "selection_entropy"])  # type: ignore[attr-defined]

    def _eliminated(self, attribute: str) -> Selection:
        fitted = self._fitted_selection(attribute)
        if not isinstance(fitted, SelectedChannels):
            raise AttributeError(
                f"{type(self).__name__} has no {attribute}, because its channels were selected "
                'with selection__method="gumbel".'
            )
        return fitted.selection()

    def _trained_layer(self, attribute: str) -> TrainedSelection:
        fitted = self._fitted_selection(attribute)
        if isinstance(fitted, SelectedChannels):
            raise AttributeError(
                f"{type(self).__name__} has no {attribute}, because its channels were selected by "
                "elimination. See selection_ranking_ and selection_saliency_, or set "
                'selection__method="gumbel" and fit again.'
            )
        return fitted.selection

    def _fitted_selection(self, attribute: str) -> SelectedChannels | ChannelSelectingNetwork:
        name, fitted = type(self).__name__, uncompiled(getattr(self, "module_", None))
        if self.n_selected_chans is None:
            raise AttributeError(
                f"{name} has no {attribute}: it uses all channels. "
                "To select channels, set n_selected_chans and fit again."
            )
        if isinstance(fitted, ChannelSelectingNetwork):
            return fitted
        if not isinstance(fitted, SelectedChannels) or not fitted.is_selected:
            raise AttributeError(f"{name} has no {attribute} before it is fitted.")
        return fitted


def selection_method(estimator: Any) -> str:
    """Return how an estimator selects channels."""
    method: str = vars(estimator).get("selection__method", ELIMINATION)
    return method


def selection_options(
    *,
    method: Any = None,
    start: Any = None,
    end: Any = None,
    temperature: Any = None,
    threshold: Any = None,
    penalty: Any = None,
    unique: Any = None,
    lr: Any = None,
    fine_tuning: Any = None,
) -> None:
    """Declare the names of the parameters with the prefix ``selection__``."""


def with_selection(network: nn.Module, estimator: Any) -> nn.Module:
    """Return a network preceded by the channel selection of an estimator.

    Parameters
    ----------
    network : torch.nn.Module
        Network for ``estimator.n_selected_chans`` channels.
    estimator : NetworkEstimator

    Returns
    -------
    network : torch.nn.Module
        The same network if ``n_selected_chans`` is None.

    Raises
    ------
    ValueError
        If ``n_selected_chans`` is larger than the number of channels, or trials are not raw EEG.
    """
    n_selected = getattr(estimator, "n_selected_chans", None)
    if n_selected is None:
        return network
    n_chans, n_times = getattr(estimator, "n_chans_", None), getattr(estimator, "n_times_", None)
    if n_chans is None or n_times is None or n_selected > n_chans:
        there = "it is not known before fit" if n_chans is None else f"X has {n_chans}"
        raise ValueError(
            f"n_selected_chans must be at most the number of channels of X, got "
            f"{n_selected}: {there}."
        )
    if selection_method(estimator) == ELIMINATION:
        return SelectedChannels(n_chans, int(n_selected), network, n_times)
    options = estimator.get_params_for("selection")
    options.pop("method", None)
    selection = TrainedSelection(n_chans, int(n_selected), **options)
    return ChannelSelectingNetwork(selection, network, n_times)


def check_selection(estimator: Any) -> None:
    """Raise a ValueError if ``n_selected_chans`` or an option of the selection is invalid."""
    n_selected = getattr(estimator, "n_selected_chans", None)
    if n_selected is None:
        return
    check_positive_ints(**{"n_selected_chans, where it is not None,": n_selected})
    if estimator._trial_axes is not SIGNALS:
        raise ValueError(
            f"n_selected_chans={n_selected} selects channels of raw EEG, but the "
            f"module of this {type(estimator).__name__} takes maps. Leave it None."
        )
    method = selection_method(estimator)
    if method not in OPTIONS:
        raise ValueError(f"selection__method must be one of {', '.join(OPTIONS)}, got {method!r}.")
    others = sorted(estimator.get_params_for("selection").keys() - {"method", *OPTIONS[method]})
    if others:
        (other,) = OPTIONS.keys() - {method}
        raise ValueError(
            f"selection__{others[0]} is an option of selection__method={other!r}, but the method "
            f"of this {type(estimator).__name__} is {method!r}, which takes "
            f"{', '.join(f'selection__{name}' for name in OPTIONS[method])}."
        )
    if method == ELIMINATION and isinstance(estimator.module, nn.Module):
        raise ValueError(
            f"n_selected_chans={n_selected} builds one network for all channels and one for the "
            f"selected ones, but the module of this {type(estimator).__name__} is an instance. "
            'Pass its class, or use selection__method="gumbel", which needs only the latter.'
        )
