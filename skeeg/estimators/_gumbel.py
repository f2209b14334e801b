"""Channel selection by a layer that is trained together with the network."""

from __future__ import annotations

import warnings
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback
from torch import Tensor, nn

from .._checks import check_number
from .._warnings import user_stacklevel
from ..layers import GumbelChannelSelection

#: Largest mean normalised entropy at which the selection counts as settled.
SETTLED = 0.05

#: Default learning rate of the logits times the number of selection steps. Adam changes a weight by
#: at most about its learning rate in a step, of which the schedule leaves a third on average, and a
#: slot has settled on one of 64 electrodes when its logit is about 10 above the others.
_DISTANCE = 120.0


class TrainedSelection(GumbelChannelSelection):
    """A selection layer with the options of its training.

    The options are parameters of estimators with the prefix ``selection__``, such as
    ``selection__penalty``.

    Parameters
    ----------
    n_chans, n_selected : int
        As in `GumbelChannelSelection`.
    temperature, threshold : (float, float)
        As in `GumbelChannelSelection`.
    penalty : float
        As in `GumbelChannelSelection`.
    unique : bool, default=True
        As in `GumbelChannelSelection`: whether each channel is selected at most once.
    lr : float, optional
        Learning rate of the logits at a temperature of 1. At lower temperatures it is multiplied by
        the temperature, and at higher ones divided by it. None derives it from the number of steps.
    fine_tuning : float, default=0.2
        Proportion of the epochs, at the end, that train only the network, on the selected channels.
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
        unique: bool = True,
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
            check_number("selection__lr", lr, above=0)
        check_number("selection__fine_tuning", fine_tuning, at_least=0, below=1)
        self.lr = lr
        self.fine_tuning = fine_tuning

    def selection_epochs(self, max_epochs: int) -> int:
        """Return the number of epochs in which the selection is trained."""
        return max(1, round((1 - self.fine_tuning) * max_epochs))

    @property
    def is_settled(self) -> bool:
        """Whether each slot has settled on the channel that it selects, or is frozen."""
        if self.frozen:
            return True
        certain = bool(self.entropy() <= SETTLED)
        return certain and bool((self.selected() == self.logits.argmax(dim=0)).all())


class ChannelSelectingNetwork(nn.Module):
    """A selection layer followed by a network for the selected channels, trained together.

    It has the hooks of `skeeg.estimators.TrainingHooks` that the selection needs. It does not
    precompute trials, because the input of the network is drawn at random in each step.

    Parameters
    ----------
    selection : TrainedSelection
    network : torch.nn.Module
        Network for trials of the selected channels.
    n_times : int
        Number of samples in a trial.
    """

    def __init__(self, selection: TrainedSelection, network: nn.Module, n_times: int) -> None:
        super().__init__()
        self.n_chans, self.n_times = selection.n_chans, n_times
        self.selection = selection
        self.network = network

    def forward(self, x: Tensor) -> Any:
        """Return the network's output for trials of shape (batch, n_chans, n_times)."""
        return self.network(self.selection(x))

    def penalty(self) -> Tensor:
        """Return the penalty on channels that are selected twice."""
        return self.selection.duplicate_penalty()

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the logits, which have their own learning rate and no weight decay."""
        return [{"params": [self.selection.logits], "weight_decay": 0.0, "selection": True}]

    def training_callbacks(self) -> list[tuple[str, Callback]]:
        """Return the callback that schedules the selection."""
        return [("selection", SelectionSchedule())]

    @property
    def is_settled(self) -> bool:
        """Whether the network is evaluated on the channels that it is trained on."""
        return self.selection.is_settled


class SelectionSchedule(Callback):
    """Schedule of the selection during a training.

    It sets temperature, threshold and the learning rate of the logits before each epoch, and
    records the entropy after it.
    """

    def on_epoch_begin(self, net: Any, dataset_train: Any = None, **kwargs: Any) -> None:
        """Set the progress of the selection, which never decreases in a continued training."""
        selection = net.module_.selection
        n_before, n_selecting = len(net.history) - 1, selection.selection_epochs(net.max_epochs)
        selection.set_progress(max(selection.progress, min(1.0, n_before / n_selecting)))
        if n_before >= n_selecting:
            selection.freeze()
        lr = selection.lr
        if lr is None:
            n_steps = n_selecting * len(net.get_iterator(dataset_train, training=True))
            lr = max(net.lr, _DISTANCE / n_steps)
        # The learning rate is largest at a temperature of 1. Earlier, slots mix many electrodes and
        # their gradients carry little information. Later, the selection is saturated and Adam
        # amplifies the noise of its gradients.
        beta = selection.current_temperature
        for group in net.optimizer_.param_groups:
            if group.get("selection"):
                group["lr"] = lr * min(beta, 1 / beta)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Record the mean normalised entropy of the slots."""
        net.history.record("selection_entropy", net.module_.selection.entropy().item())

    def on_train_end(self, net: Any, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        """Warn if the selection has not settled."""
        entropy = net.module_.selection.entropy().item()
        if entropy > SETTLED:
            warnings.warn(
                f"The channel selection of {type(net).__name__} has not settled: its mean "
                f"normalised entropy is {entropy:.3g} after {len(net.history)} epochs, and must be "
                f"at most {SETTLED:g}. Use more epochs or a higher learning rate of the selection "
                "(selection__lr), or a lower selection__penalty if slots compete for few "
                "informative channels.",
                ConvergenceWarning,
                stacklevel=user_stacklevel(),
            )
