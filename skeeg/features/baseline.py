"""Features minus those of the baseline before each trial."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone

from .._checks import check_positive
from ._base import SampledTransformer, channel_names
from ._checks import check_samples, sampling_rate
from .entropy import DifferentialEntropy


def subtract_baseline(features: ArrayLike, baseline: ArrayLike) -> NDArray[np.float64]:
    """Subtract the mean features of its baseline from the features of each trial.

    Parameters
    ----------
    features : array-like, shape (n_trials, n_windows, ...)
        The features of each window of a trial.
    baseline : array-like, shape (n_trials, n_baseline_windows, ...)
        The features of each window of the baseline before that trial.

    Returns
    -------
    corrected : ndarray of float64, shape of `features`

    Raises
    ------
    ValueError
        If the two differ in the number of trials or features, or the baseline has no window.

    See Also
    --------
    BaselineCorrection : For trials that begin with their baseline.

    Examples
    --------
    >>> subtract_baseline([[[5.0], [7.0]]], [[[1.0], [2.0], [3.0]]]).tolist()
    [[[3.0], [5.0]]]
    """
    values = np.asarray(features, dtype=np.float64)
    rest = np.asarray(baseline, dtype=np.float64)
    if values.ndim < 2 or rest.ndim != values.ndim or rest.shape[1:2] == (0,):
        raise ValueError(
            "features and baseline must have shapes (n_trials, n_windows, ...), got "
            f"{values.shape} and {rest.shape}."
        )
    if len(values) != len(rest) or values.shape[2:] != rest.shape[2:]:
        raise ValueError(
            f"features of shape {values.shape} and baseline of shape {rest.shape} must agree in "
            "all axes but the second, which counts windows."
        )
    return values - rest.mean(axis=1, keepdims=True)


class BaselineCorrection(SampledTransformer):
    """Compute features of trials that begin with a baseline, minus those of the baseline.

    Each trial is its own reference: differences between subjects or electrodes that are present
    in the baseline too are removed.

    Parameters
    ----------
    transformer : transformer, optional
        Computes the features; by default a `DifferentialEntropy`. One clone is fitted to the
        trials after the baseline, another to the baselines. Its own ``sfreq``, if None, is set.
    sfreq : float, optional
        Sampling rate of the trials, in Hz. `EEGData` and `mne.Epochs` know it; plain arrays need
        it. A rate that differs from that of the data is an error.
    duration : float, default=1.0
        Length of the baseline at the start of each trial, in seconds.

    Attributes
    ----------
    transformer_ : transformer
        Fitted to the trials after the baseline.
    baseline_transformer_ : transformer
        Fitted to the baselines.
    n_chans_, n_times_ : int
        Channels and samples of a training trial, its baseline included.
    ch_names_ : tuple of str or None
        Names of the channels, if the training data had names.
    sfreq_ : float
        Sampling rate of the training data, in Hz.
    n_features_in_ : int
        Length of the second axis of the training data.
    feature_names_in_ : ndarray of str, shape (`n_features_in_`,)
        Column names of the training data, if it was a data frame.

    See Also
    --------
    subtract_baseline : The function, for features that are computed already.
    deap_entropy : The same for windows of the DEAP trials.

    Notes
    -----
    The difference of logarithms, such as those of `BandPower` and `DifferentialEntropy`, is the
    logarithm of a ratio, which depends neither on the unit nor on the gain of an electrode.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.features import BandPower, BaselineCorrection
    >>> X = np.random.default_rng(0).standard_normal((4, 2, 512))
    >>> X[..., 128:] *= 3  # after the first second, the power is nine times as high
    >>> change = BaselineCorrection(BandPower(sfreq=128, bands="deap"), sfreq=128, duration=1)
    >>> change.fit_transform(X).shape
    (4, 8)
    >>> bool(abs(change.transform(X).mean() - np.log(9)) < 0.3)
    True
    """

    transformer_: Any
    baseline_transformer_: Any

    def __init__(
        self,
        transformer: BaseEstimator | None = None,
        sfreq: float | None = None,
        duration: float = 1.0,
    ) -> None:
        self.transformer = transformer
        self.sfreq = sfreq
        self.duration = duration

    def _check_parameters(self, sfreq: float | None) -> None:
        check_positive("duration", self.duration, "seconds")

    def _n_baseline(self) -> int:
        """Return how many samples the baseline has, or at least as many as the trials."""
        return max(1, check_samples("duration", self.duration, self.sfreq_, at_most=self.n_times_))

    def _learn(self, trials: NDArray[Any]) -> None:
        n_baseline = self._n_baseline()
        if n_baseline >= trials.shape[2]:
            raise ValueError(
                f"The baseline of {self.duration:g} s takes all {trials.shape[2]} samples of the "
                f"trials at {self.sfreq_:g} Hz: nothing is left after it. Pass trials that begin "
                "with their baseline, or a shorter duration."
            )
        made = DifferentialEntropy() if self.transformer is None else self.transformer
        made = _with_sampling_rate(made, self.sfreq_)
        self.baseline_transformer_ = clone(made).fit(trials[:, :, :n_baseline])
        self.transformer_ = clone(made).fit(trials[:, :, n_baseline:])

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Compute the features after the baseline, minus those of the baseline.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
            The trials, beginning with their baseline.

        Returns
        -------
        features : ndarray of float64, shape (n_trials, n_features)
            In the order of the transformer's features.

        Raises
        ------
        ValueError
            As in `fit`, and if channels or samples differ from the training data.
        """
        trials = self._check(X, reset=False)
        n_baseline = self._n_baseline()
        features = self.transformer_.transform(trials[:, :, n_baseline:])
        baseline = self.baseline_transformer_.transform(trials[:, :, :n_baseline])
        return subtract_baseline(features[:, None], baseline[:, None])[:, 0]

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Name the features as the transformer does.

        Parameters
        ----------
        input_features : array-like of str, optional
            The names of the channels, if the training data had none.

        Returns
        -------
        names : ndarray of object, shape (n_features,)

        Raises
        ------
        ValueError
            If `input_features` do not fit the training data.
        """
        names = channel_names(self, input_features)
        return self.transformer_.get_feature_names_out(names)


def _with_sampling_rate(transformer: Any, sfreq: float) -> Any:
    """Return a clone whose parameters ``sfreq`` that are None, of any step, are set to a rate.

    The parts of trials that it is fitted to are plain arrays, which do not know their rate.
    """
    made = clone(transformer)
    for name, value in made.get_params().items():
        if name.rpartition("__")[2] == "sfreq":
            made.set_params(**{name: sampling_rate(value, sfreq, type(transformer).__name__)})
    return made
