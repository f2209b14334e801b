"""Decode a signal that arrives in chunks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_regressor
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._checks import check_choice, check_number, check_positive
from .._warnings import user_stacklevel
from ..alignment._base import Alignment
from ._aligning import RecursiveAligner
from ._buffer import RingBuffer
from ._decision import Decision, make_smoother
from ._filter import CausalFilter
from ._found import found_in, without_recursive_alignment
from ._options import (
    checked_alignment,
    classes_of,
    distinct_names,
    rate_of,
    rows_of_chunk,
    whole_samples,
)
from ._timestamps import check_stamps, gaps_in

ON_GAP = ("reset", "raise", "ignore")


class StreamingDecoder:
    """Decode a signal that arrives in chunks of any length.

    The signal is filtered causally, cut into windows, and each window is predicted. The decisions
    are the same however the signal is divided into chunks, and memory does not grow.

    Parameters
    ----------
    estimator : classifier, regressor or pipeline
        A fitted estimator of trials of shape (n_trials, n_chans, n_times). A pipeline that begins
        with an alignment of ``new_domains="recursive"`` is aligned as with `alignment`.
    window : float
        Length of a window in seconds, rounded to whole samples. It must be the length of the
        training trials where the estimator knows that.
    step : float
        Time from one window to the next in seconds, rounded to whole samples, at least one.
    sfreq : float, optional
        Sampling rate in Hz of the chunks and of the training data; by default that of the
        training data, where the estimator knows it.
    ch_names : sequence of str, optional
        Names of the channels of the chunks. Those of the training data are selected from them, in
        their order. By default the chunks have exactly the channels of the training data.
    fmin, fmax : float, optional
        Edges in Hz of the pass band of a causal Butterworth filter; either or both. By default the
        signal is not filtered. Training data should be filtered in the same way, see
        `filter_causally`.
    filter_order : int, default=4
        Order of the filter's low-pass prototype, as in `scipy.signal.butter`.
    smoothing : float or int, optional
        A float is the weight, above 0 and at most 1, of the newest prediction in an exponential
        average; an integer is the number of predictions in a moving average. By default
        predictions are not averaged. The probabilities are averaged, or the values of a regressor.
    dead_zone : float, optional
        The label is None unless the highest probability exceeds this threshold, from 0 to 1.
    alignment : EuclideanAlignment or RiemannianAlignment, optional
        Fitted, with ``new_domains="recursive"``: each window is aligned by itself and those before
        it since the last reset. The estimator is the one trained on aligned trials.
    on_gap : {"reset", "raise", "ignore"}, default="reset"
        What a gap in the time stamps does: a warning and `reset`, an error, or nothing.
    max_gap : float, optional
        The longest time in seconds between the time stamps of two samples that is not a gap; by
        default 1.5 sampling intervals. Gaps at five samples in a row are an error: the sampling
        rate is another one.

    Attributes
    ----------
    classes : ndarray, shape (n_classes,), or None
        Class labels in the order of the probabilities; None for regressors.
    n_window, n_step : int
        `window` and `step` in samples.

    Raises
    ------
    NotFittedError
        If the estimator or the alignment is not fitted.
    ValueError
        If a parameter is invalid or contradicts the training data.

    See Also
    --------
    replay : Feeds a decoder from a file.
    decode_lsl : Feeds a decoder from a stream of the Lab Streaming Layer.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.baselines import csp_lda
    >>> from skeeg.datasets import simulate_motor_imagery
    >>> from skeeg.stream import StreamingDecoder
    >>> data = simulate_motor_imagery(n_subjects=1, random_state=0)
    >>> model = csp_lda().fit(data, data.y)
    >>> decoder = StreamingDecoder(model, window=2.5, step=1.0)
    >>> for decision in decoder.push(np.hstack(data.X[:2])):
    ...     print(decision.time, decision.probabilities.shape)
    2.4921875 (2,)
    3.4921875 (2,)
    4.4921875 (2,)
    """

    def __init__(
        self,
        estimator: Any,
        window: float,
        step: float,
        *,
        sfreq: float | None = None,
        ch_names: Sequence[str] | None = None,
        fmin: float | None = None,
        fmax: float | None = None,
        filter_order: int = 4,
        smoothing: float | None = None,
        dead_zone: float | None = None,
        alignment: Alignment | None = None,
        on_gap: str = "reset",
        max_gap: float | None = None,
    ) -> None:
        check_is_fitted(estimator)
        self.sfreq = rate_of(estimator, sfreq)
        self.n_window = whole_samples("window", window, self.sfreq)
        self.n_step = whole_samples("step", step, self.sfreq)
        self._check_length(estimator)
        self._names = found_in(estimator, "ch_names_")
        self.ch_names = self._names if ch_names is None else distinct_names(ch_names)
        self._picks = rows_of_chunk(self.ch_names, self._names, found_in(estimator, "n_chans_"))
        self.n_chans: int | None = (
            found_in(estimator, "n_chans_") if self.ch_names is None else len(self.ch_names)
        )
        self.estimator, own_alignment = without_recursive_alignment(estimator)
        self.alignment = checked_alignment(alignment, own_alignment)
        self.classes = None if is_regressor(estimator) else classes_of(estimator)
        self._has_probabilities = self.classes is not None and hasattr(estimator, "predict_proba")
        self._smoothing, self._dead_zone = smoothing, dead_zone
        self._check_options(estimator)
        self._on_gap = check_choice("on_gap", on_gap, ON_GAP)
        gap = 1.5 / self.sfreq if max_gap is None else check_positive("max_gap", max_gap, "seconds")
        self._max_gap = gap
        self._filter = CausalFilter(self.sfreq, fmin, fmax, filter_order)
        self.reset()

    # ------------------------------------------------------------------ use

    def reset(self) -> Self:
        """Forget the signal so far, as for a new recording; the estimator stays as it is.

        Filter, windows, smoothing, alignment and time begin anew.

        Returns
        -------
        self : object
        """
        self._last_stamp: float | None = None
        self._n_gaps = 0
        self._has_stamps: bool | None = None
        self._restart()
        return self

    def push(self, chunk: ArrayLike, timestamps: ArrayLike | None = None) -> list[Decision]:
        """Take the next samples and decode the windows that they complete.

        A chunk that is refused changes nothing; the next one may follow the last accepted.

        Parameters
        ----------
        chunk : array-like, shape (n_chans, n_samples)
            The samples after those of the last call, none or any number of them, in the unit of
            the training data.
        timestamps : array-like, shape (n_samples,), optional
            When each sample was recorded, in seconds. All chunks since a reset have them or none
            has.

        Returns
        -------
        decisions : list of Decision
            One for each window that is complete, none or any number of them.

        Raises
        ------
        ValueError
            If the chunk has another number of channels or values that are not finite, or the time
            stamps are not finite, do not increase, or have a gap with ``on_gap="raise"``.

        Warns
        -----
        UserWarning
            If the decoder was reset because of a gap in the time stamps.
        """
        samples = self._checked(chunk)
        if not samples.shape[1]:
            return []
        if self._has_stamps not in (None, timestamps is not None):
            raise ValueError(
                f"This chunk comes with{'out' * (timestamps is None)} time stamps, and those "
                f"before it with{'out' * (timestamps is not None)}. Pass them always or never, or "
                "call reset()."
            )
        stamps, gaps = None, np.array([], dtype=np.intp)
        if timestamps is not None:
            stamps, gaps = self._checked_stamps(timestamps, samples.shape[1])
            self._last_stamp = float(stamps[-1])
        self._has_stamps = stamps is not None
        decisions: list[Decision] = []
        start = 0
        for gap in gaps.tolist():
            decisions += self._push_gapless(samples, stamps, start, gap)
            self._restart()
            start = gap
        return decisions + self._push_gapless(samples, stamps, start, samples.shape[1])

    def partial_fit(self, label: Any) -> Self:
        """Train the estimator further on the window of the last decision.

        The estimator is changed, not a copy. Those of skeeg train for ``max_epochs`` epochs, which
        should be few here: ``estimator.set_params(max_epochs=1)``.

        Parameters
        ----------
        label : object
            The true label of the window, or the value for a regressor.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            Before the first decision since a reset, or if the label is not among the classes.
        AttributeError
            If the estimator has no ``partial_fit``.
        """
        if self._window is None:
            raise ValueError(
                "partial_fit needs a decoded window, and none is complete since the last reset."
            )
        if self.classes is not None and label not in self.classes.tolist():
            raise ValueError(
                f"label must be one of the classes {self.classes.tolist()}; got {label!r}."
            )
        final, trial = self.estimator, self._window
        if isinstance(final, Pipeline):
            final, trial = final[-1], final[:-1].transform(trial) if len(final) > 1 else trial
        if not hasattr(final, "partial_fit"):
            raise AttributeError(
                f"{type(final).__name__} has no partial_fit. Use an estimator of skeeg, or one of "
                "scikit-learn that can learn in steps, such as SGDClassifier."
            )
        # Linear models of scikit-learn continue only in the precision in which they began.
        trial = trial.astype(getattr(final, "coef_", trial).dtype, copy=False)
        final.partial_fit(trial, np.asarray([label]))
        return self

    # ------------------------------------------------------------------ the parts

    def _restart(self) -> None:
        """Begin a new segment of signal."""
        self._filter.reset()
        self._buffer: RingBuffer | None = None
        self._n_samples = 0
        self._until_decision = self.n_window
        self._window: NDArray[Any] | None = None
        self._smoother = make_smoother(self._smoothing)
        self._aligner = None if self.alignment is None else RecursiveAligner(self.alignment)

    def _push_gapless(
        self,
        samples: NDArray[np.float64],
        stamps: NDArray[np.float64] | None,
        start: int,
        stop: int,
    ) -> list[Decision]:
        decisions = []
        while start < stop:
            # In pieces between decisions, so that long chunks are not copied as a whole.
            end = min(stop, start + self._until_decision)
            piece = self._filter.push(samples[:, start:end])
            if self._buffer is None:
                self._buffer = RingBuffer(len(piece), self.n_window, np.float32)
            self._buffer.write(piece)
            self._n_samples += end - start
            self._until_decision -= end - start
            if not self._until_decision:
                self._until_decision = self.n_step
                time = (self._n_samples - 1) / self.sfreq if stamps is None else stamps[end - 1]
                decisions.append(self._decide(self._buffer.read(), float(time)))
            start = end
        return decisions

    def _decide(self, window: NDArray[np.floating], time: float) -> Decision:
        if self._aligner is not None:
            window = self._aligner.align(window).astype(np.float32)
        self._window = window[None]
        if self._has_probabilities:
            found = np.asarray(self.estimator.predict_proba(self._window)[0], dtype=np.float64)
            probabilities = self._smoother.push(found).copy()
            return Decision(self._label(probabilities), probabilities, time)
        predicted = np.asarray(self.estimator.predict(self._window))[0]
        if self.classes is not None:
            return Decision(predicted, None, time)
        value = self._smoother.push(np.asarray(predicted, dtype=np.float64)).copy()
        return Decision(value if value.ndim else float(value), None, time)

    def _label(self, probabilities: NDArray[np.float64]) -> Any:
        best = int(probabilities.argmax())
        if self._dead_zone is not None and not probabilities[best] > self._dead_zone:
            return None
        assert self.classes is not None
        return self.classes[best]

    # ------------------------------------------------------------------ checks

    def _checked(self, chunk: ArrayLike) -> NDArray[np.float64]:
        samples = np.asarray(chunk)
        if samples.dtype.kind not in "fiu":
            raise ValueError(f"The chunk must hold real numbers; got the type {samples.dtype}.")
        if samples.ndim != 2:
            raise ValueError(
                f"A chunk must have shape (n_chans, n_samples); got {samples.shape}. A single "
                "sample is chunk[:, None]."
            )
        if self.n_chans is not None and len(samples) != self.n_chans:
            turned = " Is the chunk transposed?" if samples.shape[1] == self.n_chans else ""
            raise ValueError(
                f"The chunk has {len(samples)} channels (its first axis), and the decoder expects "
                f"{self.n_chans}.{turned}"
            )
        n_chans = len(samples)
        samples = samples.astype(np.float64)
        if self._picks is not None:
            samples = samples[self._picks]
        if not np.isfinite(samples).all():
            row, column = np.argwhere(~np.isfinite(samples))[0]
            name = row if self._names is None else repr(self._names[row])
            raise ValueError(
                f"Sample {column} of the chunk is {samples[row, column]} in channel {name}. Fill "
                "in or leave out lost samples before; after a longer loss, call reset()."
            )
        self.n_chans = n_chans
        return samples

    def _checked_stamps(
        self, timestamps: ArrayLike, n_samples: int
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        stamps = check_stamps(timestamps, n_samples, self._last_stamp)
        if self._on_gap == "ignore":
            return stamps, np.array([], dtype=np.intp)
        gaps, n_gaps = gaps_in(stamps, self._last_stamp, self._max_gap, self._n_gaps)
        if len(gaps):
            self._report(gaps, stamps)
        self._n_gaps = n_gaps
        return stamps, gaps

    def _report(self, gaps: NDArray[np.intp], stamps: NDArray[np.float64]) -> None:
        at = int(gaps[0])
        before = stamps[at - 1] if at else self._last_stamp
        what = (
            f"Samples are missing between {before:.6f} s and {stamps[at]:.6f} s: the time stamps "
            f"are further apart than max_gap={self._max_gap:.6f} s"
        )
        if self._on_gap == "raise":
            raise ValueError(f"{what}. Call reset() to continue after the gap.")
        count = f" ({len(gaps)} gaps in this chunk)" if len(gaps) > 1 else ""
        warnings.warn(
            f"{what}{count}. The decoder was reset.", UserWarning, stacklevel=user_stacklevel()
        )

    def _check_length(self, estimator: Any) -> None:
        n_times = found_in(estimator, "n_times_")
        if n_times is not None and n_times != self.n_window:
            raise ValueError(
                f"The window has {self.n_window} samples ({self.n_window / self.sfreq:g} s at "
                f"{self.sfreq:g} Hz), and the estimator was trained on trials of {n_times}. Set "
                f"window={n_times / self.sfreq:g}."
            )

    def _check_options(self, estimator: Any) -> None:
        make_smoother(self._smoothing)
        if self._dead_zone is not None:
            self._dead_zone = check_number("dead_zone", self._dead_zone, at_least=0, below=1)
            if not self._has_probabilities:
                raise ValueError(
                    f"dead_zone needs probabilities, and {type(estimator).__name__} has no "
                    "predict_proba. Leave it out, or use a classifier with predict_proba."
                )
        if self._smoothing is not None and self.classes is not None and not self._has_probabilities:
            raise ValueError(
                f"smoothing needs probabilities, and {type(estimator).__name__} has no "
                "predict_proba. Leave it out, or use a classifier with predict_proba."
            )
