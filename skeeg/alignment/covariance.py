"""Covariances of domains, their shrinkage, and the linear maps between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._checks import check_choice, check_number

Matrix = NDArray[np.float64]

#: Smallest eigenvalue that counts, relative to the largest. Trials of float32 with an average
#: reference have an eigenvalue of about 1e-14 of the largest.
_RANK = 1e-10

#: The names of ways to compute the intensity of a shrinkage.
SHRINKAGES = ("ledoit-wolf", "oas")


def trial_covariances(trials: NDArray[np.generic]) -> Matrix:
    """Return the covariance of the channels in each trial.

    Parameters
    ----------
    trials : ndarray, shape (n_trials, n_chans, n_times)

    Returns
    -------
    covariances : ndarray, shape (n_trials, n_chans, n_chans)
        In the unit of the trials squared. The mean of each channel is subtracted.
    """
    covariances = np.empty((len(trials), trials.shape[1], trials.shape[1]))
    for covariance, trial in zip(covariances, trials, strict=True):
        centred = trial.astype(np.float64)
        centred -= centred.mean(axis=1, keepdims=True)
        covariance[:] = centred @ centred.T / trial.shape[1]
    return covariances


@dataclass(frozen=True)
class Power:
    """Powers of a positive semi-definite matrix within its range.

    Parameters
    ----------
    values : ndarray, shape (rank,)
    vectors : ndarray, shape (n_chans, rank)
    """

    values: Matrix
    vectors: Matrix

    @classmethod
    def of(cls, matrix: Matrix) -> Power:
        """Decompose a symmetric matrix."""
        values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
        kept = values > max(values[-1], 0.0) * _RANK
        return cls(values[kept], vectors[:, kept])

    def __call__(self, exponent: float) -> Matrix:
        """Return the power; the null space has the value 0 for any exponent."""
        return (self.vectors * self.values**exponent) @ self.vectors.T

    def beyond(self) -> Matrix:
        """Return the projection to the null space."""
        return np.eye(len(self.vectors)) - self.vectors @ self.vectors.T


def whitening_map(covariance: Matrix) -> Matrix:
    r"""Return the symmetric map that makes a covariance the identity.

    Parameters
    ----------
    covariance : ndarray, shape (n_chans, n_chans)

    Returns
    -------
    map : ndarray, shape (n_chans, n_chans)
        :math:`R^{-1/2}`; 0 in the null space of R, such as that of an average reference.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.alignment import whitening_map
    >>> whitening_map(np.diag([4.0, 1.0, 0.0])).tolist()
    [[0.5, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    return Power.of(covariance)(-0.5)


def transport_map(source: Matrix, target: Matrix) -> Matrix:
    r"""Return the map of parallel transport from one covariance to another.

    Parameters
    ----------
    source, target : ndarray, shape (n_chans, n_chans)

    Returns
    -------
    map : ndarray, shape (n_chans, n_chans)
        :math:`E = (P R^{-1})^{1/2}` from R to P, for which :math:`E R E^\top = P`. It is the
        identity if R equals P, and in the null space of either.

    Notes
    -----
    It is the parallel transport along the geodesic from R to P [1]_. If all channels are mixed by
    an invertible matrix B, the map becomes :math:`B E B^{-1}`: the result does not depend on the
    reference electrode.

    References
    ----------
    .. [1] O. Yair, M. Ben-Chen, R. Talmon, "Parallel transport on the cone manifold of SPD matrices
       for domain adaptation", IEEE Transactions on Signal Processing 67(7):1797-1811, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.alignment import transport_map
    >>> transport_map(np.diag([4.0, 1.0]), np.diag([1.0, 9.0])).round(9).tolist()
    [[0.5, 0.0], [0.0, 3.0]]
    """
    reference = Power.of(target)
    relative = Power.of(reference(-0.5) @ source @ reference(-0.5))
    inner = relative(-0.5) + relative.beyond()
    return reference(0.5) @ inner @ reference(-0.5) + reference.beyond()


@dataclass(frozen=True)
class Evidence:
    """What the shrinkage needs to know of the trials of a domain.

    Parameters
    ----------
    n_trials : int
    total : ndarray, shape (n_chans, n_chans)
        Sum of the covariances of the trials, in the coordinates in which the target is 1.
    squares : float
        Sum of their squared Frobenius norms.
    """

    n_trials: int
    total: Matrix
    squares: float

    @classmethod
    def of(cls, covariances: Matrix) -> Evidence:
        """Summarise the covariances of trials."""
        return cls(len(covariances), covariances.sum(axis=0), float((covariances**2).sum()))

    def variance(self) -> float:
        """Return the squared error that the spread of the trials implies for their mean."""
        n = self.n_trials
        if n < 2:
            return np.inf
        spread = self.squares - float((self.total**2).sum()) / n
        return max(spread, 0.0) / (n * (n - 1))


def shrink_covariance(
    mean: Matrix,
    covariances: Matrix,
    target: Matrix | None = None,
    shrinkage: str | float | None = "ledoit-wolf",
) -> tuple[Matrix, float]:
    r"""Shrink the covariance of a domain, as much as the spread of its trials requires.

    Parameters
    ----------
    mean : ndarray, shape (n_chans, n_chans)
        The covariance of the domain, a mean of `covariances`.
    covariances : ndarray, shape (n_trials, n_chans, n_chans)
        The covariances of its trials.
    target : ndarray, shape (n_chans, n_chans), optional
        By default the identity, scaled to the power of `mean`.
    shrinkage : {"ledoit-wolf", "oas"}, float or None, default="ledoit-wolf"
        How to compute the intensity, or the intensity itself from 0 to 1; None is 0.

    Returns
    -------
    shrunk : ndarray, shape (n_chans, n_chans)
        :math:`(1 - \lambda) R + \lambda T`, with the covariance R and the target T. For ``"oas"``,
        T is scaled to the power of R.
    intensity : float
        :math:`\lambda`. With a single trial, whose spread is unknown, the names give 1.

    Raises
    ------
    ValueError
        If `shrinkage` is unknown or not between 0 and 1.

    Notes
    -----
    Samples of EEG are not independent, and the brain's state differs between trials. Formulas for
    independent samples therefore give almost no shrinkage with 15 trials of 640 samples. Here the
    trials are the independent units. All norms are those in coordinates in which T is the identity,
    so that the intensity does not depend on the unit or a mixture of the channels.

    ``"ledoit-wolf"`` is the ratio of the variance of the mean over the trials to the squared
    distance from R to T, at most 1 [1]_. For ``"oas"``, the effective number of samples is that for
    which independent Gaussian samples would have the same variance,
    :math:`((\mathrm{tr} R)^2 + \mathrm{tr} R^2) / \mathrm{var}`, in the formula of [2]_.

    References
    ----------
    .. [1] O. Ledoit, M. Wolf, "A well-conditioned estimator for large-dimensional covariance
       matrices", Journal of Multivariate Analysis 88(2):365-411, 2004.
    .. [2] Y. Chen et al., "Shrinkage algorithms for MMSE covariance estimation", IEEE Transactions
       on Signal Processing 58(10):5016-5029, 2010.
    """
    if target is None:
        target = np.eye(len(mean)) * (np.trace(mean) / len(mean) or 1.0)
    whitener = whitening_map(target)
    evidence = Evidence.of(whitener @ covariances @ whitener)
    return shrunk_by_evidence(mean, evidence, target, whitener, shrinkage)


def shrunk_by_evidence(
    mean: Matrix,
    evidence: Evidence,
    target: Matrix,
    whitener: Matrix,
    shrinkage: str | float | None,
) -> tuple[Matrix, float]:
    """Return what `shrink_covariance` returns, from sums over the trials."""
    relative = whitener @ mean @ whitener
    if shrinkage is None or not isinstance(shrinkage, str):
        intensity = 0.0 if shrinkage is None else float(shrinkage)
    elif shrinkage == "oas":
        rank = max(round(float(np.trace(whitener @ target @ whitener))), 1)
        power = np.trace(relative) / rank
        intensity = _oas(relative, evidence, rank)
        target = target * power
    else:
        intensity = _ledoit_wolf(relative, evidence, whitener @ target @ whitener)
    return (1 - intensity) * mean + intensity * target, intensity


def _ledoit_wolf(relative: Matrix, evidence: Evidence, target: Matrix) -> float:
    distance = float(((relative - target) ** 2).sum())
    variance = evidence.variance()
    return 1.0 if variance >= distance else variance / distance


def _oas(relative: Matrix, evidence: Evidence, rank: int) -> float:
    squares, squared_trace = float((relative**2).sum()), float(np.trace(relative)) ** 2
    variance = evidence.variance()
    spread = squares - squared_trace / rank
    if np.isinf(variance) or spread <= 0:
        return 1.0
    if variance == 0:
        return 0.0
    n_samples = (squared_trace + squares) / variance
    numerator = (1 - 2 / rank) * squares + squared_trace
    return float(np.clip(numerator / ((n_samples + 1 - 2 / rank) * spread), 0.0, 1.0))


def check_shrinkage(shrinkage: object) -> None:
    """Raise a ValueError for a shrinkage that is neither a name, None, nor from 0 to 1."""
    if isinstance(shrinkage, str):
        check_choice("shrinkage", shrinkage, SHRINKAGES)
    elif shrinkage is not None:
        check_number("shrinkage", shrinkage, at_least=0, at_most=1)
