"""Selection of channels by elimination, in a training that precedes that of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.base import is_classifier
from skorch.callbacks import Callback
from torch import Tensor, nn

from .._checks import check_number
from .._validation import scaled, standard_deviation
from ..layers._random import current_generator
from ._arithmetic import resolve_device
from ._batches import TrialDataset
from ._hooks import uncompiled
from ._loss import checked_output
from ._names import check_fit_params
from ._pickling import FITTED_COMPONENTS
from ._selection import ELIMINATION, SelectedChannels, Selection, selection_method

#: More outputs than this are combined with random signs, so that the cost does not grow with them.
_MOST_OUTPUTS = 8


@dataclass(frozen=True)
class EliminationSchedule:
    """How many channels are left after each epoch.

    Parameters
    ----------
    start, end : float
        Proportions of the epochs after which the first channel may be removed, and after which
        only the selected ones are left.
    """

    start: float = 0.6
    end: float = 0.9

    def __post_init__(self) -> None:
        check_number("selection__start", self.start, at_least=0, below=1)
        check_number("selection__end", self.end, above=0)
        if not self.start < self.end <= 1:
            raise ValueError(
                "selection__start must be below selection__end, which must be at most 1, got "
                f"{self.start!r} and {self.end!r}."
            )

    def n_left(self, n_chans: int, n_selected: int, progress: float) -> int:
        """Return the number of channels that are left.

        Parameters
        ----------
        n_chans, n_selected : int
            At the beginning and at the end. In between, the number falls geometrically.
        progress : float
            Proportion of the epochs that are done, from 0 to 1.

        Returns
        -------
        n_left : int
        """
        fraction = min(max((progress - self.start) / (self.end - self.start), 0.0), 1.0)
        return max(n_selected, round(n_chans * (n_selected / n_chans) ** fraction))


class BackwardElimination(Callback):
    """Removes the channels of least saliency in the course of a training.

    Each channel has a gate, which is 1 while the channel is left and 0 afterwards. The saliency of
    a channel is the sum, over trials and outputs, of the squared derivative of an output with
    respect to the gate, in evaluation mode. Outputs of classifiers are centred, because the
    probabilities do not depend on their mean.

    Parameters
    ----------
    n_selected : int
        Number of channels to keep.
    n_epochs : int
        Number of epochs of the training.
    schedule : EliminationSchedule
    fit_params : dict
        Further arguments of the network's ``forward``.

    Attributes
    ----------
    gates_ : Tensor, shape (n_chans,)
    removed_ : list of int
        Channels in the order of their removal.
    share_ : Tensor, shape (n_chans,)
        Saliency divided by the sum over the channels that were left, when last computed.
    """

    def __init__(
        self,
        n_selected: int,
        n_epochs: int,
        schedule: EliminationSchedule,
        fit_params: dict[str, Any],
    ) -> None:
        self.n_selected = n_selected
        self.n_epochs = n_epochs
        self.schedule = schedule
        self.fit_params = fit_params

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Put the gates before the network."""
        self.gates_ = torch.ones(net.n_chans_, device=net.device_)
        self.share_ = torch.full((net.n_chans_,), 1 / net.n_chans_)
        self.removed_: list[int] = []
        self._open: Tensor | None = None
        net.module_.network.register_forward_pre_hook(self._through_gates)

    def _through_gates(self, module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        gates = self.gates_ if self._open is None else self._open
        return (args[0] * gates[..., None], *args[1:])

    def on_epoch_end(self, net: Any, dataset_train: Any = None, **kwargs: Any) -> None:
        """Remove channels, and end the training when only the selected ones are left."""
        progress = len(net.history) / self.n_epochs
        n_left = self.schedule.n_left(len(self.gates_), self.n_selected, progress)
        self.remove(net, dataset_train, len(self.gates_) - len(self.removed_) - n_left)
        if self.is_complete:
            raise KeyboardInterrupt  # skorch's way to end a training

    @property
    def is_complete(self) -> bool:
        """Whether only the selected channels are left."""
        return len(self.gates_) - len(self.removed_) <= self.n_selected

    def remove(self, net: Any, dataset: Any, n_removed: int) -> None:
        """Remove the channels of least saliency.

        Parameters
        ----------
        net : NetworkEstimator
            In its training.
        dataset : torch.utils.data.Dataset
            The trials whose saliency counts.
        n_removed : int
            Number of channels to remove, at least one; nothing is done otherwise.
        """
        if n_removed < 1:
            return
        saliency = self._saliency(net, dataset)
        self.share_ = torch.where(
            self.gates_.cpu() > 0, saliency / saliency.sum().clamp_min(1e-30), self.share_
        ).float()
        left = torch.nonzero(self.gates_.cpu()).ravel()
        # Of equal channels, the later ones are removed.
        order = left.flip(0)[torch.argsort(saliency[left].flip(0), stable=True)]
        removed = order[:n_removed]
        self.gates_[removed.to(self.gates_.device)] = 0
        self.removed_ += removed.tolist()

    def _saliency(self, net: Any, dataset: Any) -> Tensor:
        """Return the saliency of each channel, in float64 on the CPU."""
        total = torch.zeros(len(self.gates_), dtype=torch.float64)
        net._set_training(False)
        # cuDNN has no backward pass of recurrent layers in evaluation mode.
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            for x, *_ in net.get_iterator(dataset, training=False):
                n_trials = len(x["X"] if isinstance(x, dict) else x)
                self._open = self.gates_.expand(n_trials, -1).clone().requires_grad_()
                try:
                    output = checked_output(net, net.infer(x, **self.fit_params))
                    total += _squared_jacobian(output, self._open, centred=is_classifier(net))
                finally:
                    self._open = None
        return total

    def selection(self) -> Selection:
        """Return the channels that are left, with the order in which the others were removed."""
        n_chans = len(self.gates_)
        ranking = np.ones(n_chans, dtype=np.int64)
        ranking[self.removed_] = np.arange(len(self.removed_), 0, -1) + 1
        return Selection(np.flatnonzero(ranking == 1), ranking, self.share_.numpy())


def _squared_jacobian(output: Tensor, gates: Tensor, *, centred: bool) -> Tensor:
    """Return the squared derivatives of outputs with respect to gates, summed.

    Parameters
    ----------
    output : Tensor, shape (n_trials, n_outputs)
    gates : Tensor, shape (n_trials, n_chans)
    centred : bool
        Whether the mean of a trial's outputs is subtracted.

    Returns
    -------
    squares : Tensor of float64, shape (n_chans,)
        Summed over trials and outputs. With many outputs, its expectation over random signs.
    """
    if centred and output.shape[1] > 1:
        output = output - output.mean(dim=1, keepdim=True)
    n_outputs = output.shape[1]
    if n_outputs > _MOST_OUTPUTS:
        signs = torch.randint(
            2,
            (len(output), n_outputs, _MOST_OUTPUTS),
            device="cpu",
            generator=current_generator("cpu"),
        )
        weights = (2.0 * signs - 1).to(output) / _MOST_OUTPUTS**0.5
        output = torch.einsum("bo,bok->bk", output, weights)
    squares = torch.zeros(gates.shape[1], dtype=torch.float64)
    if not output.requires_grad:  # it does not depend on the trials
        return squares
    for column in output.unbind(dim=1):
        (slope,) = torch.autograd.grad(column.sum(), gates, retain_graph=True, allow_unused=True)
        if slope is not None:
            squares += slope.detach().cpu().double().square().sum(dim=0)
    return squares


def select_for_fit(
    net: Any, training: TrialDataset, fit_params: dict[str, Any], *, resume: bool
) -> Selection | None:
    """Return the channels that a network will be trained on, selected first where necessary.

    Parameters
    ----------
    net : NetworkEstimator
        That knows the shape of the trials and their targets.
    training : TrialDataset
        All channels.
    fit_params : dict
        Further arguments of ``fit``.
    resume : bool
        Whether ``module_`` will be kept.

    Returns
    -------
    selection : Selection or None
        None if all channels are used, or they are selected by the layer of the network.
    """
    if getattr(net, "n_selected_chans", None) is None or selection_method(net) != ELIMINATION:
        return None
    if resume:
        module = uncompiled(net.module_)
        if not isinstance(module, SelectedChannels):  # built before n_selected_chans was set
            return None
        if module.is_selected:
            return module.selection()
    n_chans, n_selected = net.n_chans_, int(net.n_selected_chans)
    if n_selected >= n_chans:  # with_selection refuses a greater number
        return Selection.of_all(n_chans)
    selection = _eliminate(net, training, fit_params)
    if resume:
        uncompiled(net.module_).select(selection)
    return selection


def select_channels(net: Any, X: Any, y: Any, sample_weight: Any, groups: Any) -> Selection | None:
    """Select channels as `fit` does, without the training of a network on them.

    Parameters
    ----------
    net : NetworkEstimator
        With ``n_selected_chans``. It is not fitted afterwards.
    X, y, sample_weight, groups
        As in ``fit``.

    Returns
    -------
    selection : Selection or None
        None if channels are selected by a layer, which is trained with the network.
    """
    net._check_parameters()
    if selection_method(net) != ELIMINATION:
        return None
    training = net._training_data(X, y, sample_weight, groups, reset=True, classes=None)
    net.device_ = resolve_device(net.device)
    return select_for_fit(net, training, {}, resume=False)


def _eliminate(net: Any, training: TrialDataset, fit_params: dict[str, Any]) -> Selection:
    """Train a network of all channels, in the course of which they are removed."""
    options = net.get_params_for("selection")
    options.pop("method", None)
    arguments = {k: v for k, v in fit_params.items() if k not in {"_routing_method", "epochs"}}
    n_epochs = fit_params.get("epochs", net.max_epochs)
    elimination = BackwardElimination(
        int(net.n_selected_chans), n_epochs, EliminationSchedule(**options), arguments
    )
    whole = object.__new__(type(net))
    # It shares the parameters and what was found in the trials, not the network of an earlier fit.
    # Callbacks, which may write files or end the training, are for the network that is kept.
    vars(whole).update(
        {
            name: value
            for name, value in vars(net).items()
            if name not in {*FITTED_COMPONENTS, "callbacks_", "history_", "module__n_chans"}
            and not name.startswith("callbacks__")
        }
    )
    whole.n_selected_chans = net.n_chans_
    whole.callbacks = [("elimination", elimination)]
    whole.compile = False
    whole.initialized_ = False
    # Validation trials are set aside as in the training that follows, but must not end this one.
    whole.n_iter_no_change = max(1, n_epochs)
    with whole._device_for_skorch(), whole._arithmetic(), whole._fit_randomness():
        whole.initialize()
        forward = whole.module_.network.forward
        check_fit_params(fit_params, forward, type(net).__name__)
        whole.module_.select(Selection.of_all(net.n_chans_))
        whole._train(training, fit_params)
        if n_epochs == 0:
            part, _ = whole.get_split_datasets(training)
            elimination.remove(whole, part, net.n_chans_ - int(net.n_selected_chans))
    if not elimination.is_complete:
        raise KeyboardInterrupt("The training was interrupted before channels were selected.")
    return elimination.selection()


def rescale(net: Any, training: TrialDataset, selection: Selection) -> None:
    """Scale the training trials by the standard deviation of the selected channels.

    Parameters
    ----------
    net : NetworkEstimator
    training : TrialDataset
        With its trials before they were scaled.
    selection : Selection
    """
    X: Any = training.unscaled
    name, axes, names = type(net).__name__, net._trial_axes, net.ch_names_
    selected = names and tuple(names[i] for i in selection.channels)
    net.scale_ = standard_deviation(
        X[:, selection.channels], name=name, ch_names=selected, axes=axes
    )
    training.trials = torch.from_numpy(scaled(X, net.scale_, name=name, ch_names=names, axes=axes))
    training.unscaled, training.precomputed = None, {}
