"""Steps of several baselines."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from ..features import FilterBank, UnitScaler
from ..features._base import TrialTransformer
from ..features.bands import Bands, check_bands
from ..features.power import flat_trials

#: Regularisation strengths from which ridge regressions select.
ALPHAS = tuple(10.0**exponent for exponent in range(-3, 6))


class FlatTrialCheck(TrialTransformer):
    """Pass trials on as they are, and refuse flat ones.

    A trial is flat if all samples of each channel are equal, as after an interrupted recording.
    The logarithm of its power is so far from all others that least squares fit little else: one
    among 150 trials takes a regression to chance.

    Attributes
    ----------
    n_chans_, n_times_ : int
        Channels and samples of a training trial.
    ch_names_ : tuple of str or None
        The channels' names, where the training data knew them.
    sfreq_ : float or None
        The sampling rate in Hz, where the training data knew it.
    n_features_in_ : int
        Length of the second axis of the training data.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.baselines import FlatTrialCheck
    >>> X = np.random.default_rng(0).standard_normal((3, 2, 100))
    >>> X[1] = 0
    >>> FlatTrialCheck().fit(X)
    Traceback (most recent call last):
        ...
    ValueError: Trial 1 of X is flat: all samples of each channel are equal. Leave such trials...
    """

    def _learn(self, trials: NDArray[Any]) -> None:
        self._refuse_flat(trials)

    def transform(self, X: Any) -> Any:
        """Return the trials, having checked that none is flat.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)

        Returns
        -------
        X : array-like, mne.Epochs or EEGData
            What was passed.

        Raises
        ------
        ValueError
            If a trial is flat; it names the first. If the trials are not finite, or differ from
            those in `fit`.
        """
        self._refuse_flat(self._check(X, reset=False))
        return X

    @staticmethod
    def _refuse_flat(trials: NDArray[Any]) -> None:
        flat = flat_trials(trials)
        if flat.size:
            more = "" if flat.size == 1 else f" ({flat.size} of {len(trials)} trials are)"
            raise ValueError(
                f"Trial {flat[0]} of X is flat{more}: all samples of each channel are equal. Leave "
                "such trials out, for example with data[np.ptp(data.X, axis=2).any(axis=1)]."
            )


def array_steps(bands: Bands | None, sfreq: float | None) -> list[tuple[str, Any]]:
    """Return the first steps of a pipeline: an optional filter bank and scaling.

    Parameters
    ----------
    bands : str, mapping or sequence, optional
        Frequency bands as in `skeeg.features.FilterBank`.
    sfreq : float, optional
        Sampling rate in Hz.

    Returns
    -------
    steps : list of (name, transformer)

    Raises
    ------
    ValueError
        If only one of them is passed, or a band is invalid.
    """
    if bands is None and sfreq is None:
        return [("scale", UnitScaler())]
    if bands is None or sfreq is None:
        raise ValueError(
            f"bands and sfreq must be passed together, got bands={bands!r} and sfreq={sfreq!r}: "
            "pass both to filter the trials, or neither to use them unfiltered."
        )
    check_bands(bands, sfreq)
    return [("filter", FilterBank(sfreq, bands)), ("scale", UnitScaler())]
