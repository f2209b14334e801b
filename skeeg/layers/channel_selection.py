"""Selection of electrodes, learnt together with the network."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from .._checks import check_flag, check_number, check_positive_ints
from ._random import current_generator

#: Fraction of the training after which the temperature has its final value.
_COOLED_AT = 0.75

#: Least distance of the noise from 0 and 1, and of probabilities from 0, for finite logarithms.
_NOISE_MARGIN, _LEAST_PROBABILITY = 1e-6, 1e-10


class GumbelChannelSelection(nn.Module):
    """Select electrodes with the Gumbel-softmax trick [1]_ [2]_.

    Each of the M inputs of the network, called slots, learns one logit per electrode. In training,
    a slot is a mixture of all electrodes with random weights, drawn anew for each trial. As the
    temperature falls, the mixture approaches a single electrode. In evaluation, the slot is the
    most probable electrode.

    Parameters
    ----------
    n_chans : int
        Number of electrodes, N.
    n_selected : int
        Number of electrodes to select, M; at most N.
    temperature : (float, float), default=(10.0, 0.1)
        At the start of the training, and after three quarters of it.
    threshold : (float, float), default=(3.0, 1.1)
        Sum of the slots' probabilities for one electrode above which the penalty applies, at the
        start and at the end of the training.
    penalty : float, default=0.1
        Weight of the penalty, lambda in the source.
    unique : bool, default=False
        Whether all slots must have different electrodes, see Notes.

    Attributes
    ----------
    progress : float
        Fraction of the training that is done, from 0 to 1.
    frozen : bool
        Whether the selection is fixed, in training as well.

    Raises
    ------
    ValueError
        If an argument has a value that it cannot take.

    Notes
    -----
    With the logits alpha (N, M), Gumbel noise G = -ln(-ln U) with U uniform for each trial,
    electrode and slot, and the temperature beta, slot m of a trial x is::

        z_nm = softmax over n of (alpha_nm + G_nm) / beta        y_m = sum_n z_nm x_n

    Temperature and threshold fall geometrically, from a to b as a (b / a)^s with s the fraction of
    the training that is done; for the temperature, s is 1 after three quarters of the training.

    The source [1]_ discourages slots from selecting the same electrode. A penalty applies to
    electrodes whose probabilities p, the softmax of alpha, add up to more than the threshold tau:
    lambda sum_n max(0, sum_m p_nm - tau). Duplicates become rare, but remain possible.
    ``unique=True`` is an extension of skeeg: the slots take the most probable selection without
    duplicates, the assignment with the greatest sum of log p. It differs only for slots that would
    share an electrode. Until the selection is frozen, the network has not been trained with the
    electrodes that these slots get instead.

    References
    ----------
    .. [1] T. Strypsteen, A. Bertrand, "End-to-end learnable EEG channel selection for deep neural
       networks with Gumbel-softmax", J. Neural Eng. 18:0460a9, 2021. arXiv 2102.09050.
    .. [2] E. Jang, S. Gu, B. Poole, "Categorical reparameterization with Gumbel-softmax", ICLR
       2017. arXiv 1611.01144.

    Examples
    --------
    >>> import torch
    >>> from skeeg.layers import GumbelChannelSelection
    >>> selection = GumbelChannelSelection(n_chans=64, n_selected=8)
    >>> selection(torch.randn(5, 64, 128)).shape
    torch.Size([5, 8, 128])
    >>> selection.set_progress(0.375)
    >>> round(selection.current_temperature, 6)
    1.0
    """

    def __init__(
        self,
        n_chans: int,
        n_selected: int,
        *,
        temperature: tuple[float, float] = (10.0, 0.1),
        threshold: tuple[float, float] = (3.0, 1.1),
        penalty: float = 0.1,
        unique: bool = False,
    ) -> None:
        super().__init__()
        self.n_chans, self.n_selected = check_positive_ints(n_chans=n_chans, n_selected=n_selected)
        if self.n_selected > self.n_chans:
            raise ValueError(
                f"n_selected must be at most the number of channels; got {self.n_selected} of "
                f"{self.n_chans}."
            )
        self.temperature = _check_ends("temperature", temperature)
        self.threshold = _check_ends("threshold", threshold)
        self.penalty = check_number("penalty", penalty, at_least=0)
        self.unique = check_flag("unique", unique)
        self.logits = nn.Parameter(torch.randn(self.n_chans, self.n_selected) / 100)
        self.progress = 0.0
        self.frozen = False

    # ------------------------------------------------------------------ schedules

    def set_progress(self, fraction: float) -> None:
        """Set the fraction of the training that is done, and with it temperature and threshold.

        Parameters
        ----------
        fraction : float
            From 0 to 1.

        Raises
        ------
        ValueError
            If it is not a number from 0 to 1.
        """
        if check_number("fraction", fraction, at_least=0) > 1:
            raise ValueError(f"fraction must be at most 1; got {fraction!r}.")
        self.progress = float(fraction)

    @property
    def current_temperature(self) -> float:
        """The temperature, beta."""
        return _geometric(self.temperature, min(self.progress / _COOLED_AT, 1.0))

    @property
    def current_threshold(self) -> float:
        """The threshold of the penalty, tau."""
        return _geometric(self.threshold, self.progress)

    def freeze(self) -> None:
        """Fix the selection: each slot is its most probable electrode in training as well."""
        self.frozen = True

    def unfreeze(self) -> None:
        """Resume learning the selection in training."""
        self.frozen = False

    # ------------------------------------------------------------------ selection

    def probabilities(self) -> Tensor:
        """Return the probability of each electrode in each slot.

        Returns
        -------
        Tensor, shape (n_chans, n_selected)
            The softmax of the logits, without temperature; each column adds up to 1.
        """
        return F.softmax(self.logits, dim=0)

    def entropy(self) -> Tensor:
        """Return the mean entropy of the slots, from 1 for equal probabilities to 0 for certainty.

        Returns
        -------
        Tensor, scalar
            The entropy of a slot's probabilities divided by ln n_chans, averaged over slots.
        """
        if self.n_chans == 1:
            return self.logits.new_zeros(())
        p = self.probabilities().clamp_min(_LEAST_PROBABILITY)
        return -(p * p.log()).sum(dim=0).mean() / math.log(self.n_chans)

    def duplicate_penalty(self) -> Tensor:
        """Return the term of the training loss that penalises slots with the same electrode.

        Returns
        -------
        Tensor, scalar
            `penalty` times the sum, over electrodes, of the excess of their summed probabilities
            over the threshold; 0 if frozen.
        """
        if self.frozen or not self.penalty:
            return self.logits.new_zeros(())
        p = self.probabilities().clamp_min(_LEAST_PROBABILITY)
        return self.penalty * F.relu(p.sum(dim=1) - self.current_threshold).sum()

    @torch.no_grad()
    def selected(self) -> Tensor:
        """Return the electrode of each slot.

        Returns
        -------
        Tensor of int64, shape (n_selected,)
            The most probable ones, with `unique` under the condition that all differ.
        """
        if not self.unique:
            return self.logits.argmax(dim=0)
        log_p = F.log_softmax(self.logits.double(), dim=0).cpu().numpy()
        slots, chans = linear_sum_assignment(log_p.T, maximize=True)
        return torch.from_numpy(chans[np.argsort(slots)]).to(self.logits.device)

    def forward(self, x: Tensor) -> Tensor:
        """Return the slots of each trial.

        Parameters
        ----------
        x : Tensor, shape (batch, n_chans, n_times)

        Returns
        -------
        Tensor, shape (batch, n_selected, n_times)
        """
        if self.frozen or not self.training:
            return x.index_select(1, self.selected())
        noise = torch.rand(
            len(x),
            self.n_selected,
            self.n_chans,
            dtype=x.dtype,
            device=x.device,
            generator=current_generator(x.device),
        )
        noise = noise * (1 - 2 * _NOISE_MARGIN) + _NOISE_MARGIN
        gumbel = -torch.log(-torch.log(noise))
        weights = F.softmax((self.logits.T + gumbel) / self.current_temperature, dim=2)
        return torch.bmm(weights, x)

    # ------------------------------------------------------------------ state

    def get_extra_state(self) -> Tensor:
        """Return `progress` and `frozen`, for the ``state_dict``."""
        state = [self.progress, float(self.frozen)]
        return torch.tensor(state, dtype=torch.float64, device="cpu")  # also on meta

    def set_extra_state(self, state: Tensor) -> None:
        """Restore what `get_extra_state` returned."""
        progress, frozen = state.tolist()
        self.progress, self.frozen = progress, bool(frozen)

    def extra_repr(self) -> str:
        """Return the settings, for the layer's printed form."""
        return f"{self.n_chans}, {self.n_selected}, penalty={self.penalty:g}, unique={self.unique}"


def _check_ends(name: str, ends: object) -> tuple[float, float]:
    """Return the two ends of a schedule, both positive."""
    if not isinstance(ends, (tuple, list)) or len(ends) != 2:
        raise ValueError(
            f"{name} must be two numbers, for the start and the end of the training; got {ends!r}."
        )
    start, end = (check_number(f"Each end of {name}", value, above=0) for value in ends)
    return start, end


def _geometric(ends: tuple[float, float], fraction: float) -> float:
    start, end = ends
    return start * (end / start) ** fraction
