"""Freedom from the unit of the recording, and from the level of each sample."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from .._validation import check_X, scaled, standard_deviation
from ._base import FeatureTransformer, TrialTransformer


class UnitScaler(TrialTransformer):
    r"""Divide trials by one number, the standard deviation of all training values.

    Volts, microvolts and an amplifier's own unit all become the same numbers, and nothing else
    changes: the channels keep their proportions and the trials keep theirs, in which band power
    and spatial covariance lie.

    It also is the gate of a pipeline of other packages' estimators. It takes what every estimator
    of skeeg takes, checks it, and passes on a plain array. So it comes first in such a pipeline,
    or right after another transformer of skeeg.

    Attributes
    ----------
    scale_ : float
        What the trials are divided by, in their unit; see Notes.
    n_chans_, n_times_ : int
        Channels and samples of a training trial.
    ch_names_ : tuple of str or None
        The channels' names, where the training data knew them.
    sfreq_ : float or None
        The sampling rate in Hz, where the training data knew it.
    n_features_in_ : int
        Length of the second axis of the training data.
    feature_names_in_ : ndarray of str, shape (`n_features_in_`,)
        Column names of the training data, where it was a data frame.

    See Also
    --------
    mne.decoding.Scaler : Scales each channel by itself.
    sklearn.preprocessing.StandardScaler : Scales each feature by itself.

    Notes
    -----
    With :math:`x_{kct}` the value in trial k, channel c and sample t of the N training trials, of
    C channels and T samples,

    .. math:: \text{scale} = \sqrt{\frac{1}{NCT} \sum_{kct} (x_{kct} - \bar{x})^2}.

    The mean :math:`\bar{x}` is not subtracted. Training data that do not vary are divided by their
    magnitude, or by 1 where they are all zero.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.features import UnitScaler
    >>> volts = 1e-5 * np.random.default_rng(0).standard_normal((20, 3, 100))
    >>> scaler = UnitScaler().fit(volts)
    >>> scaler.transform(volts).std().round(6)
    np.float64(1.0)
    >>> np.allclose(UnitScaler().fit_transform(1e6 * volts), scaler.transform(volts))
    True
    """

    scale_: float

    def _learn(self, trials: NDArray[Any]) -> None:
        self.scale_ = standard_deviation(trials)

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Divide trials by the standard deviation found in `fit`.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
            The trials, in the unit of the training data.

        Returns
        -------
        scaled : ndarray of float64, shape (n_trials, n_chans, n_times)
            Without a unit. Three axes even where `X` has two.

        Raises
        ------
        ValueError
            As in `fit`, and if channels or samples differ from the training data.
        """
        check_is_fitted(self)
        trials = check_X(self, self._unwrap(X, reset=False), reset=False)
        return scaled(
            trials,
            self.scale_,
            name=type(self).__name__,
            ch_names=self.ch_names_,
            dtype=np.float64,
        )


def sample_zscore(X: ArrayLike) -> NDArray[np.float64]:
    r"""Standardise each sample over its own features.

    Parameters
    ----------
    X : array-like, shape (n_samples, n_features)

    Returns
    -------
    scores : ndarray of float64, shape (n_samples, n_features)
        The features of a sample have mean 0 and standard deviation 1 (divisor `n_features`); all
        are 0 where they are equal.

    Raises
    ------
    ValueError
        If `X` does not have two axes.

    See Also
    --------
    SampleZScore : The same as a transformer.

    Examples
    --------
    >>> sample_zscore([[1.0, 3.0], [4.0, 4.0]]).tolist()
    [[-1.0, 1.0], [0.0, 0.0]]
    """
    features = np.asarray(X, dtype=np.float64)
    if features.ndim != 2:
        raise ValueError(f"X must have shape (n_samples, n_features), got {features.shape}.")
    centred = features - features.mean(axis=1, keepdims=True)
    deviation = centred.std(axis=1, keepdims=True)
    # Of equal features, rounding leaves a deviation of some 1e-16 of their magnitude.
    equal = deviation <= 1e-12 * np.abs(features).max(axis=1, keepdims=True, initial=0)
    return np.where(equal, 0.0, centred / np.where(equal, 1.0, deviation))


class SampleZScore(OneToOneFeatureMixin, FeatureTransformer):
    """Standardise each sample over its own features.

    What is left is which features stand out, whatever the level and the spread of all: another
    unit, which adds one constant to all logarithms, leaves no trace. Nothing is learnt from the
    training data, so nothing of them reaches the test data.

    Attributes
    ----------
    n_features_in_ : int
        Number of features of the training data.
    feature_names_in_ : ndarray of str, shape (`n_features_in_`,)
        Column names of the training data, where it was a data frame.

    See Also
    --------
    sample_zscore : The function behind it.
    sklearn.preprocessing.StandardScaler : Standardises each feature over the training data.
    sklearn.preprocessing.Normalizer : Divides each sample by its norm.

    Examples
    --------
    >>> from skeeg.features import SampleZScore
    >>> SampleZScore().fit_transform([[1.0, 3.0], [10.0, 30.0]]).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Standardise samples.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)
            The features.

        Returns
        -------
        scores : ndarray of float64, shape (n_samples, n_features)

        Raises
        ------
        ValueError
            If the features are not finite, or more or fewer than in `fit`.
        """
        return sample_zscore(self._check(X, reset=False))
