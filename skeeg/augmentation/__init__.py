"""Augmentation: random changes of training trials that keep, or change along, what they mean.

Estimators take augmentations as ``augment="time_shift"``, ``augment=TimeShift(0.2)`` or a list, and
apply them to the batches of their training. Each also works by itself, on trials of any container:
``augmentation(X, y, random_state)``.
"""

from ._base import Augmentation, Batch, Recording
from ._registry import AUGMENTATIONS, resolve_augmentations
from .amplitude_scale import AmplitudeScale
from .channel_dropout import ChannelDropout
from .frequency_shift import FrequencyShift
from .ft_surrogate import FTSurrogate
from .gaussian_noise import GaussianNoise
from .mirror import Mirror
from .mixup import Mixup
from .sign_flip import SignFlip
from .time_shift import TimeShift

__all__ = [
    "AUGMENTATIONS",
    "AmplitudeScale",
    "Augmentation",
    "Batch",
    "ChannelDropout",
    "FTSurrogate",
    "FrequencyShift",
    "GaussianNoise",
    "Mirror",
    "Mixup",
    "Recording",
    "SignFlip",
    "TimeShift",
    "resolve_augmentations",
]
