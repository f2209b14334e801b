"""The base class of the channel selectors."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from .._checks import check_integer
from .._validation import check_finite, check_X, check_X_y, unwrap
from ..data import EEGData
from ..features._base import channel_names


class ChannelSelector(
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):  # trials have three axes, which no data frame has
    """Base of the transformers that keep some channels of trials and drop the others.

    A subclass has a parameter ``n_selected_chans`` and finds the channels in ``_select``.
    """

    n_selected_chans: int
    selected_channels_: NDArray[np.intp]
    selected_ch_names_: tuple[str, ...] | None
    input_ndim_: int
    n_chans_: int
    n_times_: int
    ch_names_: tuple[str, ...] | None
    sfreq_: float | None

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Find the channels to keep.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
            The trials, in any unit; or shape (n_trials, n_times) for one channel.
        y : array-like, shape (n_trials,)
            Class labels of any type.

        Returns
        -------
        self : object
            The fitted selector.

        Raises
        ------
        ValueError
            If `n_selected_chans` is not an integer of at least 1, or the trials or the labels are
            invalid.

        Warns
        -----
        UserWarning
            If `n_selected_chans` is greater than the number of channels: all of them are kept.
        """
        trials, labels, n_selected = self._check_training(X, y)
        self._keep(self._select(trials, labels, n_selected))
        return self

    def _select(self, trials: NDArray[Any], y: NDArray[Any], n_selected: int) -> NDArray[np.intp]:
        """Return the channels to keep, in any order."""
        raise NotImplementedError

    def _keep(self, channels: NDArray[np.intp]) -> None:
        """Set the fitted attributes of the channels to keep."""
        self.selected_channels_ = np.unique(channels)
        names = self.ch_names_
        self.selected_ch_names_ = names and tuple(names[i] for i in self.selected_channels_)

    def _check_training(self, X: Any, y: Any) -> tuple[NDArray[Any], NDArray[Any], int]:
        """Return finite trials, labels of two or more classes, and how many channels to keep."""
        name = type(self).__name__
        wanted = check_integer(f"n_selected_chans of {name}", self.n_selected_chans, at_least=1)
        trials, labels = check_X_y(self, X, y, reset=True)
        check_finite(trials, name=name, ch_names=self.ch_names_)
        if len(np.unique(labels)) < 2:
            raise ValueError(
                f"{name} needs at least two classes in y, got one class: {labels[0].item()!r}."
            )
        if wanted > self.n_chans_:
            warnings.warn(
                f"n_selected_chans={wanted} of {name} is greater than the number of channels of "
                f"X, {self.n_chans_}. All of them are kept.",
                UserWarning,
                stacklevel=3,
            )
        return trials, labels, min(wanted, self.n_chans_)

    def get_support(self, indices: bool = False) -> NDArray[Any]:
        """Return which channels are kept.

        Parameters
        ----------
        indices : bool, default=False
            Whether to return indices instead of a mask.

        Returns
        -------
        support : ndarray of bool, shape (n_chans,), or of int, shape (n_kept,)

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        check_is_fitted(self)
        if indices:
            return self.selected_channels_
        return np.isin(np.arange(self.n_chans_), self.selected_channels_)

    def transform(self, X: Any) -> Any:
        """Keep the selected channels, in the order of `X`.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
            The trials.

        Returns
        -------
        kept : ndarray or EEGData, shape (n_trials, n_kept, n_times)
            An `EEGData` if `X` is one, else an array.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If channels or samples differ from the training data, or a value is not finite.
        """
        check_is_fitted(self)
        trials = check_X(self, unwrap(X), reset=False)
        check_finite(trials, name=type(self).__name__, ch_names=self.ch_names_)
        kept = trials[:, self.selected_channels_]
        if not isinstance(X, EEGData):
            return kept
        ch_names = tuple(X.ch_names[i] for i in self.selected_channels_)
        return dataclasses.replace(X, X=kept, ch_names=ch_names)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Return the names of the channels that are kept.

        Parameters
        ----------
        input_features : array-like of str, optional
            The names of the channels, if the training data had none.

        Returns
        -------
        names : ndarray of object, shape (n_kept,)

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If `input_features` do not fit the training data.
        """
        check_is_fitted(self)
        names = np.array(channel_names(self, input_features), dtype=object)
        return names[self.selected_channels_]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags
