"""Channel selection that is trained together with the network."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback
from torch import Tensor, nn

from .._checks import check_number, check_positive_ints
from .._parameters import Parameters, parameter
from .._validation import SIGNALS
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


class ChannelSelection(Parameters):
    """Channel selection of estimators for raw EEG.

    Attributes
    ----------
    selected_channels_ : ndarray of int, shape (n_selected_chans,)
        With `n_selected_chans`: the selected channels, in the order of the network's input.
    selected_ch_names_ : tuple of str or None
        Names of the selected channels, None if ``X`` had no names.
    selection_probabilities_ : ndarray, shape (n_chans, n_selected_chans)
        Probability of each channel in each slot, which is a channel of the network's input.
    selection_entropy_ : ndarray, shape (n_epochs,)
        Mean normalised entropy of the selection after each epoch, from 1 (uniform) to 0 (certain).
    """

    n_selected_chans: int | None = parameter(
        default=None,
        doc="""Number of channels to select. The selection is trained together with the network, see
        `skeeg.layers.GumbelChannelSelection`. Set its options with a prefix, as in
        ``selection__penalty=1.0``. ``selection__lr`` is the learning rate of the selection, and
        ``selection__fine_tuning`` the proportion of the epochs, at the end, that train only the
        network. None uses all channels.""",
    )

    @property
    def selected_channels_(self) -> NDArray[np.int64]:
        """The selected channels, in the order of the network's input."""
        return self._fitted_selection("selected_channels_").selected().cpu().numpy()

    @property
    def selected_ch_names_(self) -> tuple[str, ...] | None:
        """The names of the selected channels, in the order of the network's input."""
        chosen = self._fitted_selection("selected_ch_names_").selected().tolist()
        names: tuple[str, ...] | None = self.ch_names_  # type: ignore[attr-defined]
        return None if names is None else tuple(names[i] for i in chosen)

    @property
    def selection_probabilities_(self) -> NDArray[np.float32]:
        """The probability of each channel in each slot."""
        selection = self._fitted_selection("selection_probabilities_")
        return selection.probabilities().detach().cpu().numpy()

    @property
    def selection_entropy_(self) -> NDArray[np.float64]:
        """The mean normalised entropy of the selection after each epoch, from 1 to 0."""
        self._fitted_selection("selection_entropy_")
        return np.array(self.history[:, "selection_entropy"])  # type: ignore[attr-defined]

    def _fitted_selection(self, attribute: str) -> TrainedSelection:
        name, fitted = type(self).__name__, getattr(self, "module_", None)
        if self.n_selected_chans is None:
            raise AttributeError(
                f"{name} has no {attribute}: it uses all channels. "
                "To select channels, set n_selected_chans and fit again."
            )
        if not isinstance(fitted, ChannelSelectingNetwork):
            raise AttributeError(f"{name} has no {attribute} before it is fitted.")
        return fitted.selection


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
    options = estimator.get_params_for("selection")
    selection = TrainedSelection(n_chans, int(n_selected), **options)
    return ChannelSelectingNetwork(selection, network, n_times)


def check_selection(estimator: Any) -> None:
    """Raise a ValueError if ``n_selected_chans`` is invalid."""
    n_selected = getattr(estimator, "n_selected_chans", None)
    if n_selected is None:
        return
    check_positive_ints(**{"n_selected_chans, where it is not None,": n_selected})
    if estimator._trial_axes is not SIGNALS:
        raise ValueError(
            f"n_selected_chans={n_selected} selects channels of raw EEG, but the "
            f"module of this {type(estimator).__name__} takes maps. Leave it None."
        )
