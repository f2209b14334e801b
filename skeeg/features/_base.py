"""What the feature transformers share."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from .._containers import Unwrapped
from .._validation import check_finite, check_X, unwrap
from ._checks import sampling_rate
from .bands import Bands, check_bands


class TrialTransformer(TransformerMixin, BaseEstimator):
    """A transformer of trials: it checks and remembers what `fit` saw."""

    input_ndim_: int
    n_chans_: int
    n_times_: int
    ch_names_: tuple[str, ...] | None
    sfreq_: float | None

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the trials, and learn what `transform` needs of them.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
            The trials, in any unit; or shape (n_trials, n_times) for one channel.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If the trials are empty, ragged, not real numbers or not finite, or a parameter is
            invalid. Of a transformer with the parameter `sfreq`, also if the sampling rate is
            unknown, or `sfreq` is not that of the trials.
        """
        trials = self._unwrap(X, reset=True)
        self._check_parameters(trials.sfreq)
        self._learn(self._check(trials, reset=True))
        return self

    def _unwrap(self, X: Any, *, reset: bool) -> Unwrapped:
        """Return the values of `X`, with channel names and sampling rate where they are known."""
        return unwrap(X)

    def _check_parameters(self, sfreq: float | None) -> None:
        """Raise for a parameter that is invalid at the sampling rate of the trials."""

    def _learn(self, trials: NDArray[Any]) -> None:
        """Keep what `transform` needs from the training trials."""

    def _check(self, X: Any, *, reset: bool) -> NDArray[Any]:
        """Return finite trials, shape (n_trials, n_chans, n_times); `reset` is for `fit`."""
        if not reset:
            check_is_fitted(self)
        trials = check_X(self, self._unwrap(X, reset=reset), reset=reset)
        check_finite(trials, name=type(self).__name__, ch_names=self.ch_names_)
        return trials

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


class SampledTransformer(TrialTransformer):
    """A transformer of trials that needs their sampling rate.

    After `fit`, ``sfreq_`` is that rate, taken from the trials or from the parameter.
    """

    sfreq: float | None
    sfreq_: float

    def _unwrap(self, X: Any, *, reset: bool) -> Unwrapped:
        unwrapped = super()._unwrap(X, reset=reset)
        if not reset:
            return unwrapped  # the gate compares its rate with that of fit
        rate = sampling_rate(self.sfreq, unwrapped.sfreq, type(self).__name__)
        return dataclasses.replace(unwrapped, sfreq=rate)


class ChannelFeatures(TrialTransformer):
    """A transformer that computes features of each channel.

    Its output has the first feature of all channels, then the second of all channels, and so on.
    """

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Name the features by channel and by what they are.

        Parameters
        ----------
        input_features : array-like of str, optional
            The names of the channels, if the training data had none. One channel, passed with
            two axes, is always called ``x0``.

        Returns
        -------
        names : ndarray of object, shape (n_features,)
            ``"C3_alpha"`` and so on: all channels in the first band, then all in the second.

        Raises
        ------
        ValueError
            If `input_features` do not fit the training data.
        """
        check_is_fitted(self)
        ch_names = channel_names(self, input_features)
        return np.array(
            [f"{channel}_{kind}" for kind in self._kinds() for channel in ch_names], dtype=object
        )

    def _kinds(self) -> Iterable[str]:
        """Return the names of the features of one channel."""
        raise NotImplementedError


class BandFeatures(SampledTransformer, ChannelFeatures):
    """A transformer that computes a feature of each channel in each frequency band."""

    bands: Bands

    def _check_parameters(self, sfreq: float | None) -> None:
        assert sfreq is not None
        check_bands(self.bands, sfreq)

    def _kinds(self) -> Iterable[str]:
        return check_bands(self.bands, self.sfreq_)


class FeatureTransformer(TransformerMixin, BaseEstimator):
    """A transformer of features, one row per sample, that learns only their names."""

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the features.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)
            The features.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If the features are not finite numbers in two axes, or a parameter is wrong.
        """
        self._learn(self._check(X, reset=True))
        return self

    def _learn(self, features: NDArray[np.float64]) -> None:
        """Check the parameters against the features, and keep what `transform` needs."""

    def _check(self, X: Any, *, reset: bool) -> NDArray[np.float64]:
        """Return finite features of float64, shape (n_samples, n_features)."""
        if not reset:
            check_is_fitted(self)
        name = type(self).__name__
        trials = unwrap(X)
        if trials.sfreq is not None or getattr(trials.values, "ndim", 2) == 3:
            raise ValueError(
                f"{name} takes features of shape (n_samples, n_features), got trials. Put a "
                "transformer that computes features before it, such as DifferentialEntropy or "
                "BandPower."
            )
        return validate_data(self, trials.values, reset=reset, dtype=np.float64)


class PlacedFeatures(FeatureTransformer):
    """A transformer that needs the channel of each feature."""

    ch_names: Sequence[str] | None

    def _names(self) -> tuple[str, ...]:
        """Return the names of the channels, once checked."""
        return check_ch_names(self.ch_names, type(self).__name__)

    def _cube(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return features by kind and channel, shape (n_samples, n_kinds, n_chans)."""
        return by_kind(features, len(self._names()), type(self).__name__)


def by_kind(features: NDArray[Any], n_chans: int, caller: str) -> NDArray[Any]:
    """Return features by kind and channel.

    Parameters
    ----------
    features : ndarray, shape (n_samples, n_kinds * n_chans)
        All channels in the first band, then all channels in the second, and so on.
    n_chans : int
    caller : str
        The function or class, for messages.

    Returns
    -------
    features : ndarray, shape (n_samples, n_kinds, n_chans)

    Raises
    ------
    ValueError
        If the number of features is not a multiple of `n_chans`.
    """
    n_features = features.shape[1]
    if n_features % n_chans:
        raise ValueError(
            f"X has {n_features} features, which is not a multiple of the {n_chans} ch_names: "
            f"{caller} takes all channels in the first band, then all channels "
            "in the second, and so on. Pass the names of the channels of these features."
        )
    return features.reshape(len(features), -1, n_chans)


def check_ch_names(ch_names: Sequence[str] | None, caller: str) -> tuple[str, ...]:
    """Return channel names as a tuple if there is at least one, and all differ.

    Parameters
    ----------
    ch_names : sequence of str or None
        What the user passed.
    caller : str
        The function or class, for messages.

    Returns
    -------
    ch_names : tuple of str

    Raises
    ------
    ValueError
        If there are none, one is not a string, or one is repeated.
    """
    listed = [] if ch_names is None or isinstance(ch_names, str) else list(ch_names)
    if not listed or not all(isinstance(name, str) for name in listed):
        raise ValueError(
            f"ch_names of {caller} must name the channels, such as ['Fp1', 'Fp2'] or the ch_names "
            f"of the EEGData, got {ch_names!r}."
        )
    twice = sorted({name for name in listed if listed.count(name) > 1})
    if twice:
        raise ValueError(f"ch_names must differ from each other; these come twice: {twice}.")
    return tuple(listed)


def channel_names(estimator: TrialTransformer, names: ArrayLike | None) -> list[str]:
    """Return the names of the channels that a transformer was fitted with.

    Parameters
    ----------
    estimator : TrialTransformer
        Fitted.
    names : array-like of str, optional
        The names that the user gives.

    Returns
    -------
    ch_names : list of str

    Raises
    ------
    ValueError
        If `names` do not fit the training data.
    """
    if estimator.ch_names_ is None:
        checked = _check_feature_names_in(estimator, names)
        return ["x0"] if estimator.input_ndim_ == 2 else list(checked)
    if names is not None and tuple(np.asarray(names)) != estimator.ch_names_:
        raise ValueError(
            f"input_features is not equal to the channels of the training data: "
            f"{', '.join(estimator.ch_names_)}."
        )
    return list(estimator.ch_names_)
