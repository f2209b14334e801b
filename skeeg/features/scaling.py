"""Scaling that removes the unit of the recording, or the level of each sample."""

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

    Volts, microvolts and an amplifier's own unit all give the same numbers. The proportions between
    channels and between trials, and with them relative band power and spatial covariance, do not
    change.

    In a pipeline of estimators from other packages, it is the step that accepts what every
    estimator of skeeg accepts, checks it and returns a plain array. It is the first step of such a
    pipeline, or follows another transformer of skeeg.

    Attributes
    ----------
    scale_ : float
        The divisor, in the unit of the trials; see Notes.
    n_chans_, n_times_ : int
        Channels and samples of a training trial.
    ch_names_ : tuple of str or None
        Names of the channels, if the training data had names.
    sfreq_ : float or None
        Sampling rate of the training data in Hz, if known.
    n_features_in_ : int
        Length of the second axis of the training data.
    feature_names_in_ : ndarray of str, shape (`n_features_in_`,)
        Column names of the training data, if it was a data frame.

    See Also
    --------
    mne.decoding.Scaler : Scales each channel separately.
    sklearn.preprocessing.StandardScaler : Scales each feature separately.

    Notes
    -----
    With :math:`x_{kct}` the value in trial k, channel c and sample t of the N training trials, of
    C channels and T samples,

    .. math:: \text{scale} = \sqrt{\frac{1}{NCT} \sum_{kct} (x_{kct} - \bar{x})^2}.

    The mean :math:`\bar{x}` is not subtracted. If all training values are equal, the divisor is
    their absolute value, or 1 if they are zero.

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
            Without a unit. Three axes even if `X` has two.

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
        The features of a sample have mean 0 and standard deviation 1 (divisor `n_features`). If all
        features of a sample are equal, they are 0.

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
    # The computed deviation of equal features is about 1e-16 of their magnitude, by rounding.
    equal = deviation <= 1e-12 * np.abs(features).max(axis=1, keepdims=True, initial=0)
    return np.where(equal, 0.0, centred / np.where(equal, 1.0, deviation))


class SampleZScore(OneToOneFeatureMixin, FeatureTransformer):
    """Standardise each sample over its own features.

    The result shows which features stand out in a sample, independently of the level and spread of
    all its features. A change of unit, which adds one constant to all logarithms, has no effect.
    Nothing is learnt from the training data.

    Attributes
    ----------
    n_features_in_ : int
        Number of features of the training data.
    feature_names_in_ : ndarray of str, shape (`n_features_in_`,)
        Column names of the training data, if it was a data frame.

    See Also
    --------
    sample_zscore : The function that it calls.
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
