"""Transformers that align the spatial covariance of domains."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np

from ._base import Alignment
from .covariance import Matrix, Power


class EuclideanAlignment(Alignment):
    """Align domains by the arithmetic mean of the covariances of their trials.

    The trials of a subject, session or run are multiplied by one matrix, so that their mean
    covariance becomes that of the training domains. Labels are not used.

    Parameters
    ----------
    domain : str or sequence of str, default="subject"
        The columns of the metadata of `EEGData` or of epochs that identify a domain. Sessions and
        runs are nested in their subject. Arrays have no metadata: pass ``domains=`` to the methods,
        otherwise all trials are one domain.
    reference : {"training", "identity"}, default="training"
        What the mean covariance of each domain becomes: that of the training domains, or the
        identity as in the paper. The identity amplifies directions of little power, which
        hurts networks with many electrodes.
    shrinkage : {"ledoit-wolf", "oas"}, float or None, default="ledoit-wolf"
        Shrinkage of a domain's covariance, as in `shrink_covariance`. The target is the mean
        covariance of the training domains, with which the alignment of a domain of few or varying
        trials approaches no alignment; with the reference ``"identity"`` it is the scaled identity.
    new_domains : {"transductive", "calibration", "recursive"}, default="transductive"
        How `transform` aligns a domain that was not in `fit`.

        - ``"transductive"``: by all trials of the domain in the call, without their labels. Scores
          then need all test trials of a subject before the first is decoded; `skeeg.compare` and
          its report say so.
        - ``"calibration"``: by the first `n_calibration` trials of the domain in the call. These
          trials are aligned by themselves; leave them out of the score.
        - ``"recursive"``: each trial by itself and those before it in the call, in the order of the
          rows, as online.

        Domains of `fit` and `add_domains` are always aligned by the trials passed there.
    n_calibration : int, default=10
        Number of trials for ``"calibration"``.

    Attributes
    ----------
    domains_ : list of tuple
        The domains of the training data, by the values of their columns.
    covariances_ : ndarray, shape (n_domains, n_chans, n_chans)
        Their covariances, after shrinkage.
    shrinkages_ : ndarray, shape (n_domains,)
        The intensities of the shrinkage.
    reference_ : ndarray, shape (n_chans, n_chans)
        The mean covariance of the training domains.
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
    RiemannianAlignment : Uses the Riemannian mean, on which single noisy trials have less effect.
    skeeg.features.standardise_subjects_transductively : Aligns the power of each channel only.

    Notes
    -----
    With the mean covariance R of a domain after shrinkage and the mean P of the training domains,
    trials are multiplied by :math:`(P R^{-1})^{1/2}` [1]_. With ``reference="identity"`` they
    are multiplied by :math:`R^{-1/2}` [2]_. Different from [2]_, the mean of each channel of a
    trial is subtracted for the covariance.

    References
    ----------
    .. [1] O. Yair, M. Ben-Chen, R. Talmon, "Parallel transport on the cone manifold of SPD matrices
       for domain adaptation", IEEE Transactions on Signal Processing 67(7):1797-1811, 2019.
    .. [2] H. He, D. Wu, "Transfer learning for brain-computer interfaces: a Euclidean space data
       alignment approach", IEEE Transactions on Biomedical Engineering 67(2):399-410, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg import EEGData
    >>> from skeeg.alignment import EuclideanAlignment
    >>> X = np.random.default_rng(0).standard_normal((40, 2, 200))
    >>> X[20:] *= 9
    >>> data = EEGData.from_arrays(X, [0, 1] * 20, sfreq=100, subject=np.repeat(["A", "B"], 20))
    >>> aligned = EuclideanAlignment().fit_transform(data)
    >>> [round(float(aligned[data.groups("subject") == who].X.std()), 1) for who in "AB"]
    [6.3, 6.4]
    """

    def _mean(self, covariances: Matrix) -> Matrix:
        return covariances.mean(axis=0)

    def _means(self, covariances: Matrix) -> Iterator[Matrix]:
        total = np.zeros_like(covariances[0])
        for i, covariance in enumerate(covariances):
            total = total + covariance
            yield total / (i + 1)

    def _next_mean(self, mean: Matrix, covariance: Matrix, n: int) -> Matrix:
        return mean + (covariance - mean) / n


class RiemannianAlignment(Alignment):
    """Align domains by the Riemannian mean of the covariances of their trials.

    Needs pyRiemann, which comes with ``pip install 'skeeg[riemann]'``.

    Parameters
    ----------
    domain : str or sequence of str, default="subject"
        The columns of the metadata of `EEGData` or of epochs that identify a domain. Sessions and
        runs are nested in their subject. Arrays have no metadata: pass ``domains=`` to the methods,
        otherwise all trials are one domain.
    reference : {"training", "identity"}, default="training"
        What the mean covariance of each domain becomes: that of the training domains, or the
        identity as in the paper. The identity amplifies directions of little power, which
        hurts networks with many electrodes.
    shrinkage : {"ledoit-wolf", "oas"}, float or None, default="ledoit-wolf"
        Shrinkage of a domain's covariance, as in `shrink_covariance`. The target is the mean
        covariance of the training domains, with which the alignment of a domain of few or varying
        trials approaches no alignment; with the reference ``"identity"`` it is the scaled identity.
    new_domains : {"transductive", "calibration", "recursive"}, default="transductive"
        How `transform` aligns a domain that was not in `fit`.

        - ``"transductive"``: by all trials of the domain in the call, without their labels. Scores
          then need all test trials of a subject before the first is decoded; `skeeg.compare` and
          its report say so.
        - ``"calibration"``: by the first `n_calibration` trials of the domain in the call. These
          trials are aligned by themselves; leave them out of the score.
        - ``"recursive"``: each trial by itself and those before it in the call, in the order of the
          rows, as online.

        Domains of `fit` and `add_domains` are always aligned by the trials passed there.
    n_calibration : int, default=10
        Number of trials for ``"calibration"``.

    Attributes
    ----------
    domains_ : list of tuple
        The domains of the training data, by the values of their columns.
    covariances_ : ndarray, shape (n_domains, n_chans, n_chans)
        Their covariances, after shrinkage.
    shrinkages_ : ndarray, shape (n_domains,)
        The intensities of the shrinkage.
    reference_ : ndarray, shape (n_chans, n_chans)
        The mean covariance of the training domains.
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
    EuclideanAlignment : Uses the arithmetic mean, which is faster.
    pyriemann.transfer.TLCenter : Centres covariance matrices; its domains come with the labels.

    Notes
    -----
    The maps are those of `EuclideanAlignment`, with Riemannian means for R and P. With
    ``reference="identity"``, this is the re-centring of [1]_. A recursive mean moves along the
    geodesic to each new trial by one over the number of trials. A trial without full rank has no
    finite distance to others: 1e-6 of its power is added to the channels in which the mean of the
    trials has power.

    References
    ----------
    .. [1] P. Zanini et al., "Transfer learning: a Riemannian geometry framework with applications
       to brain-computer interfaces", IEEE Transactions on Biomedical Engineering 65(5):1107-1116,
       2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skeeg.alignment import RiemannianAlignment
    >>> X = np.random.default_rng(0).standard_normal((40, 2, 200))
    >>> X[20:] *= 9
    >>> aligned = RiemannianAlignment().fit_transform(X, domains=np.repeat(["A", "B"], 20))
    >>> aligned[:20].std().round(1), aligned[20:].std().round(1)
    (np.float64(3.0), np.float64(3.0))
    """

    def _mean(self, covariances: Matrix) -> Matrix:
        mean_riemann = _geometry("mean", "mean_riemann", type(self).__name__)
        inner, basis = _in_common_range(covariances)
        return basis @ mean_riemann(inner) @ basis.T if basis.shape[1] else covariances[0]

    def _means(self, covariances: Matrix) -> Iterator[Matrix]:
        geodesic = _geometry("geodesic", "geodesic_riemann", type(self).__name__)
        inner, basis = _in_common_range(covariances)
        mean = inner[0]
        for i, covariance in enumerate(inner):
            mean = geodesic(mean, covariance, 1 / (i + 1)) if i and basis.shape[1] else mean
            yield basis @ mean @ basis.T

    def _next_mean(self, mean: Matrix, covariance: Matrix, n: int) -> Matrix:
        if n == 1:
            return covariance
        geodesic = _geometry("geodesic", "geodesic_riemann", type(self).__name__)
        inner, basis = _in_common_range(np.array([mean, covariance]))
        return basis @ geodesic(*inner, 1 / n) @ basis.T if basis.shape[1] else covariance


def _geometry(module: str, name: str, caller: str) -> Any:
    """Return a function of pyRiemann, which moved them from `utils` to `geometry` in 0.12."""
    if importlib.util.find_spec("pyriemann") is None:
        raise ImportError(
            f"{caller} needs pyRiemann, which is not installed: pip install 'skeeg[riemann]'"
        )
    try:
        home = importlib.import_module(f"pyriemann.geometry.{module}")
    except ModuleNotFoundError:
        home = importlib.import_module(f"pyriemann.utils.{module}")
    return getattr(home, name)


def _in_common_range(covariances: Matrix) -> tuple[Matrix, Matrix]:
    """Return positive definite matrices in a basis of the range of their mean, and the basis."""
    basis = Power.of(covariances.mean(axis=0)).vectors
    inner = basis.T @ covariances @ basis
    rank = basis.shape[1]
    if not rank:
        return inner, basis
    power = np.trace(inner, axis1=1, axis2=2) / rank
    floor = np.where(power > 0, power, power.mean()) * 1e-6
    lowest = np.linalg.eigvalsh(inner)[:, 0]
    lacking = lowest < floor * 1e-3
    inner = inner + (lacking * floor)[:, None, None] * np.eye(rank)
    return inner, basis
