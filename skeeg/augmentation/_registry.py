"""Augmentations by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._checks import did_you_mean
from ._base import Augmentation
from .amplitude_scale import AmplitudeScale
from .channel_dropout import ChannelDropout
from .frequency_shift import FrequencyShift
from .ft_surrogate import FTSurrogate
from .gaussian_noise import GaussianNoise
from .mirror import Mirror
from .mixup import Mixup
from .sign_flip import SignFlip
from .time_shift import TimeShift

#: The augmentations that estimators know by name.
AUGMENTATIONS: dict[str, type[Augmentation]] = {
    kind.name: kind
    for kind in (
        AmplitudeScale,
        ChannelDropout,
        FrequencyShift,
        FTSurrogate,
        GaussianNoise,
        Mirror,
        Mixup,
        SignFlip,
        TimeShift,
    )
}


def resolve_augmentations(augment: Any) -> list[Augmentation]:
    """Return the augmentations of a parameter ``augment``, in their order.

    Parameters
    ----------
    augment : str, Augmentation, sequence of them, or None
        Names are those of `AUGMENTATIONS`, with default parameters.

    Returns
    -------
    augmentations : list of Augmentation
        Empty for None.

    Raises
    ------
    ValueError
        If a name is unknown.
    TypeError
        If it is, or holds, something else.

    Examples
    --------
    >>> resolve_augmentations(["time_shift", "sign_flip"])
    [TimeShift(), SignFlip()]
    """
    if augment is None:
        return []
    if isinstance(augment, Sequence) and not isinstance(augment, str):
        return [_resolve(item) for item in augment]
    return [_resolve(augment)]


def _resolve(item: Any) -> Augmentation:
    if isinstance(item, Augmentation):
        return item
    if isinstance(item, str) and item in AUGMENTATIONS:
        return AUGMENTATIONS[item]()
    names = ", ".join(AUGMENTATIONS)
    if isinstance(item, str):
        raise ValueError(
            f"augment has no augmentation {item!r}.{did_you_mean(item, AUGMENTATIONS)} "
            f"Valid names: {names}."
        )
    hint = " Create an instance of it." if isinstance(item, type) else ""
    raise TypeError(
        "augment must be None, a name, an object of skeeg.augmentation, or a list of them; got "
        f"{item!r}.{hint} Valid names: {names}."
    )
