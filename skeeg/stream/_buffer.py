"""A ring buffer of the most recent samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class RingBuffer:
    """The last samples of a signal, in memory that is allocated once.

    Parameters
    ----------
    n_rows, length : int
        Channels, and samples kept.
    dtype : type
        Type of the samples.
    """

    def __init__(self, n_rows: int, length: int, dtype: type[np.floating]) -> None:
        self._values = np.zeros((n_rows, length), dtype=dtype)
        self._next = 0

    def write(self, samples: NDArray[np.float64]) -> None:
        """Add samples, shape (n_rows, n_samples), in place of the oldest."""
        length = self._values.shape[1]
        kept = samples[:, -length:]
        at = (self._next + samples.shape[1] - kept.shape[1]) % length
        before_end = min(kept.shape[1], length - at)
        self._values[:, at : at + before_end] = kept[:, :before_end]
        self._values[:, : kept.shape[1] - before_end] = kept[:, before_end:]
        self._next = (at + kept.shape[1]) % length

    def read(self) -> NDArray[np.floating]:
        """Return a copy of all samples, oldest first."""
        return np.concatenate(
            [self._values[:, self._next :], self._values[:, : self._next]], axis=1
        )
