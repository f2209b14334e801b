"""Exchange of left and right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar

import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from .._checks import check_choice
from .._electrodes import lateral_pairs, side
from ._base import Augmentation, Batch, Recording

_SIDES = {"left": "right", "right": "left"}
_SIDE = re.compile("left|right", re.IGNORECASE)


class Mirror(Augmentation):
    """Exchange left and right electrodes, and with them the labels that say left or right [1]_.

    Parameters
    ----------
    labels : "auto" or dict, default="auto"
        The labels that exchange, such as ``{"left": "right"}`` or ``{769: 770}``; all others stay
        as they are. ``"auto"`` finds them where they have "left" and "right" in them, as
        ``"left_hand"`` and ``"right_hand"`` do. An empty dict declares that no label depends on the
        side, which a regression needs.
    probability : float, default=0.5
        Probability with which a trial is changed.

    Notes
    -----
    The names of the channels must be known and belong to the 10-05 system, and each electrode on
    one side must have its partner on the other.

    References
    ----------
    .. [1] Deiss, O., Biswal, S., Jin, J., Sun, H., Westover, M. B., & Sun, J. (2018). HAMLET:
       Interpretable human and machine co-learning technique. arXiv:1803.09702.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import EEGData
    >>> from skeeg.augmentation import Mirror
    >>> X = np.array([[[3.0], [0.0], [4.0]], [[5.0], [0.0], [2.0]]])
    >>> data = EEGData.from_arrays(X, ["left", "right"], sfreq=1, ch_names=["C3", "Cz", "C4"])
    >>> mirrored, y = Mirror(probability=1)(data, data.y)
    >>> mirrored[0, :, 0].tolist(), y.tolist()
    ([4.0, 0.0, 3.0], ['right', 'left'])
    """

    name: ClassVar[str] = "mirror"

    def __init__(self, labels: str | Mapping[Any, Any] = "auto", probability: float = 0.5) -> None:
        self.labels = labels
        self.probability = probability

    def check_parameters(self) -> None:
        """Raise a ValueError for an invalid parameter."""
        super().check_parameters()
        if not isinstance(self.labels, Mapping):
            check_choice("labels of Mirror, where it is not a dict,", self.labels, ("auto",))

    def changed(self, X: Tensor, recording: Recording, generator: Generator | None) -> Tensor:
        """Return trials with left and right electrodes exchanged.

        Parameters
        ----------
        X, recording, generator
            As in `Augmentation.changed`.

        Returns
        -------
        X : torch.Tensor, shape (n_trials, n_chans, n_times)

        Raises
        ------
        ValueError
            If the names of the channels are not known, or an electrode has no partner.
        """
        if recording.ch_names is None:
            raise ValueError(
                "Mirror needs the names of the channels, and a plain array does not know them: "
                "pass trials as EEGData or mne.Epochs."
            )
        return X[:, torch.tensor(mirrored_order(recording.ch_names), device=X.device)]

    def apply(self, batch: Batch, recording: Recording, generator: Generator | None) -> Batch:
        """Return a batch in which some trials, and their labels, are mirrored.

        Parameters
        ----------
        batch, recording, generator
            As in `Augmentation.apply`.

        Returns
        -------
        batch : Batch

        Raises
        ------
        ValueError
            As in `changed`, and if the labels that exchange are not known.
        """
        chosen = self._chosen(batch.X, generator)
        # Also without trials to change, so that what is missing is said in the first batch.
        changed = self.changed(batch.X[chosen], recording, generator)
        mirrored = replace(batch, X=batch.X.index_copy(0, chosen, changed))
        y = batch.y
        if y is None:
            return mirrored
        exchanged = torch.tensor(self._exchanged(recording.classes), device=y.device)
        if not len(exchanged):
            return mirrored
        targets = y[chosen]
        swapped = targets[:, exchanged] if y.is_floating_point() else exchanged[targets]
        return replace(mirrored, y=y.index_copy(0, chosen, swapped))

    def _exchanged(self, classes: NDArray[Any] | None) -> list[int]:
        """Return the code that each class has after the exchange, nothing for a regression."""
        if classes is None:
            if isinstance(self.labels, Mapping) and not self.labels:
                return []
            raise ValueError(
                "Mirror exchanges class labels, and the values of a regression have none. If the "
                "value of a trial and of its mirror image are equal, pass Mirror(labels={})."
            )
        known: list[Any] = classes.tolist()
        labels = _sides(known) if isinstance(self.labels, str) else _both_ways(self.labels)
        missing = [label for label in labels if label not in known]
        if missing:
            raise ValueError(
                f"labels of Mirror has {missing[0]!r}, which is not a class. The classes of these "
                f"trials are {known}."
            )
        return [known.index(labels.get(label, label)) for label in known]


def _sides(known: list[Any]) -> dict[Any, Any]:
    """Return the labels that exchange because they have "left" or "right" in them."""
    labels = {
        label: _SIDE.sub(_other_side, label)
        for label in known
        if isinstance(label, str) and _SIDE.search(label)
    }
    if not labels:
        raise ValueError(
            f"Mirror cannot tell which of the labels {known} exchange with left and right. Pass "
            "them, as in Mirror(labels={'left': 'right'}), or Mirror(labels={}) if none does."
        )
    for label, other in labels.items():
        if other not in known:
            raise ValueError(
                f"Mirror turns {label!r} into {other!r}, which is not a class; the classes of "
                f"these trials are {known}. Pass the labels that exchange, as in "
                "Mirror(labels={'left': 'right'})."
            )
    return labels


def _other_side(found: re.Match[str]) -> str:
    word = found[0]
    other = _SIDES[word.lower()]
    if word.isupper():
        return other.upper()
    return other.capitalize() if word[0].isupper() else other


def _both_ways(labels: Mapping[Any, Any]) -> dict[Any, Any]:
    both = {other: label for label, other in labels.items()} | dict(labels)
    for label, other in both.items():
        if both[other] != label:
            raise ValueError(
                f"labels of Mirror must exchange pairs, but {label!r} becomes {other!r} and "
                f"{other!r} becomes {both[other]!r}."
            )
    return both


@lru_cache
def mirrored_order(ch_names: tuple[str, ...]) -> tuple[int, ...]:
    """Return the channel that takes the place of each channel in a mirror image.

    Parameters
    ----------
    ch_names : tuple of str
        Electrodes of the 10-05 system.

    Returns
    -------
    order : tuple of int

    Raises
    ------
    ValueError
        If a name is unknown, an electrode has no partner on the other side, or no electrode is at a
        side.

    Examples
    --------
    >>> mirrored_order(("C3", "Cz", "C4"))
    (2, 1, 0)
    """
    sides = [side(name) for name in ch_names]
    if None in sides:
        unknown = ch_names[sides.index(None)]
        raise ValueError(
            f"Mirror does not know on which side {unknown!r} is: it is not an electrode of the "
            "10-05 system. Rename or leave out this channel."
        )
    order = list(range(len(ch_names)))
    for left, right in lateral_pairs(ch_names):
        order[left], order[right] = right, left
    for i, name in enumerate(ch_names):
        if sides[i] != 0 and order[i] == i:
            raise ValueError(
                f"Mirror needs the electrode opposite to {name!r}, and the channels do not have "
                f"it: {', '.join(ch_names)}. Leave {name!r} out, or choose another augmentation."
            )
    if order == sorted(order):
        raise ValueError(
            f"Mirror needs electrodes at both sides, and all channels are on the midline: "
            f"{', '.join(ch_names)}."
        )
    return tuple(order)
