"""Freedom from the unit of the recording."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from .._validation import check_finite, check_X, scaled, standard_deviation


class UnitScaler(TransformerMixin, BaseEstimator):
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
    n_chans_: int
    n_times_: int
    ch_names_: tuple[str, ...] | None
    sfreq_: float | None

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the standard deviation of the training data.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
            The trials, in any unit; or shape (n_trials, n_times) for one channel.
        y : None
            Ignored.

        Returns
        -------
        self : UnitScaler

        Raises
        ------
        ValueError
            If the trials are empty, ragged, not real numbers or not finite.
        """
        trials = check_X(self, X, reset=True)
        check_finite(trials, name=type(self).__name__, ch_names=self.ch_names_)
        self.scale_ = standard_deviation(trials)
        return self

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
        trials = check_X(self, X, reset=False)
        return scaled(
            trials,
            self.scale_,
            name=type(self).__name__,
            ch_names=self.ch_names_,
            dtype=np.float64,
        )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
