"""Transformers that align the spatial covariance of domains."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._checks import check_choice, check_integer
from ..data import EEGData
from ..features._base import TrialTransformer
from .covariance import (
    Evidence,
    Matrix,
    Power,
    check_shrinkage,
    shrunk_by_evidence,
    transport_map,
    trial_covariances,
    whitening_map,
)
from .domains import UNNAMED, Domain, check_domain_columns, domains_of, epochs_in

REFERENCES = ("training", "identity")
NEW_DOMAINS = ("transductive", "calibration", "recursive")


class _Alignment(TrialTransformer):
    """What alignments share; a subclass has the mean of covariances."""

    domains_: list[Domain]
    covariances_: Matrix
    shrinkages_: Matrix
    reference_: Matrix

    def __init__(
        self,
        domain: str | Sequence[str] = "subject",
        reference: str = "training",
        shrinkage: str | float | None = "ledoit-wolf",
        new_domains: str = "transductive",
        n_calibration: int = 10,
    ) -> None:
        self.domain = domain
        self.reference = reference
        self.shrinkage = shrinkage
        self.new_domains = new_domains
        self.n_calibration = n_calibration

    # ------------------------------------------------------------------ the mean

    def _mean(self, covariances: Matrix) -> Matrix:
        """Return the mean of covariances."""
        raise NotImplementedError

    def _means(self, covariances: Matrix) -> Iterator[Matrix]:
        """Return the mean of the first covariance, of the first two, and so on."""
        raise NotImplementedError

    # ------------------------------------------------------------------ scikit-learn

    @property
    def transductive(self) -> bool:
        """Whether new domains are aligned by all their trials, those to be predicted included."""
        return self.new_domains == "transductive"

    def fit(self, X: Any, y: Any = None, *, domains: ArrayLike | None = None) -> Self:
        """Compute the covariance of each training domain and their mean.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
            The trials, in any unit.
        y : None
            Ignored.
        domains : array-like, shape (n_trials,), optional
            The domain of each trial, instead of the metadata.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If a parameter is invalid, the trials are not finite, or the metadata do not have the
            domain of each trial.
        """
        columns = self._checked_columns()
        trials = self._check(X, reset=True)
        rows = _rows_by_domain(domains_of(X, columns, domains, len(trials)))
        covariances = {key: trial_covariances(trials[own]) for key, own in rows.items()}
        means = np.array([self._mean(of_trials) for of_trials in covariances.values()])
        self.reference_ = self._mean(means)
        target = self._target(means.mean(axis=0))
        self._target_, self._whitener = target, whitening_map(target)
        shrunk = [
            self._shrunk(mean, of_trials)
            for mean, of_trials in zip(means, covariances.values(), strict=True)
        ]
        self.domains_ = list(rows)
        self.covariances_ = np.array([covariance for covariance, _ in shrunk])
        self.shrinkages_ = np.array([intensity for _, intensity in shrunk])
        return self

    def fit_transform(
        self, X: Any, y: Any = None, *, domains: ArrayLike | None = None
    ) -> EEGData | NDArray[np.float64]:
        """Fit, and align the training trials.

        Parameters
        ----------
        X, y, domains
            As in `fit`.

        Returns
        -------
        aligned : EEGData or ndarray
            As from `transform`.
        """
        return self.fit(X, y, domains=domains).transform(X, domains=domains)

    def transform(
        self, X: Any, *, domains: ArrayLike | None = None
    ) -> EEGData | NDArray[np.float64]:
        """Align trials.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
            The trials, in the unit of the training data.
        domains : array-like, shape (n_trials,), optional
            The domain of each trial, instead of the metadata.

        Returns
        -------
        aligned : EEGData or ndarray of float64, shape (n_trials, n_chans, n_times)
            `EEGData` for `EEGData` and `mne.Epochs`, so that the next step knows channels and
            sampling rate. In the unit of the trials; with the reference ``"identity"``, without a
            unit.

        Raises
        ------
        ValueError
            As in `fit`, and if channels or samples differ from the training data, the domains of
            an array are unknown, or a new domain has fewer than `n_calibration` trials.
        """
        columns = self._checked_columns()
        trials = self._check(X, reset=False)
        rows = _rows_by_domain(domains_of(X, columns, domains, len(trials)))
        if UNNAMED in rows and UNNAMED not in self.domains_:
            raise ValueError(
                f"{type(self).__name__} was fitted with domains such as {self.domains_[0]}, and X "
                "does not say of which domain its trials are. Pass EEGData with the same columns, "
                "or domains= with an entry for each trial."
            )
        aligned = np.empty(trials.shape)
        for key, own in rows.items():
            if key in self.domains_:
                maps = self._map(self.covariances_[self.domains_.index(key)])
            else:
                maps = self._maps_of_new_domain(key, trials[own])
            aligned[own] = maps @ trials[own]
        return _like(X, aligned)

    def add_domains(self, X: Any, *, domains: ArrayLike | None = None) -> Self:
        """Learn new domains from calibration trials; what was learnt before does not change.

        Parameters
        ----------
        X : array-like, mne.Epochs or EEGData, shape (n_trials, n_chans, n_times)
            Trials recorded before those to decode. Their labels are not needed.
        domains : array-like, shape (n_trials,), optional
            The domain of each trial, instead of the metadata.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            As in `transform`, and if a domain is known already.
        """
        columns = self._checked_columns()
        trials = self._check(X, reset=False)
        rows = _rows_by_domain(domains_of(X, columns, domains, len(trials)))
        known = [key for key in rows if key in self.domains_]
        if known:
            raise ValueError(f"The domain {known[0]} is known already. Fit again to replace it.")
        for key, own in rows.items():
            covariances = trial_covariances(trials[own])
            covariance, intensity = self._shrunk(self._mean(covariances), covariances)
            self.domains_ = [*self.domains_, key]
            self.covariances_ = np.concatenate([self.covariances_, covariance[None]])
            self.shrinkages_ = np.append(self.shrinkages_, intensity)
        return self

    # ------------------------------------------------------------------ the parts

    def _checked_columns(self) -> list[str]:
        check_choice("reference", self.reference, REFERENCES)
        check_choice("new_domains", self.new_domains, NEW_DOMAINS)
        check_integer("n_calibration", self.n_calibration, at_least=1)
        check_shrinkage(self.shrinkage)
        return check_domain_columns(self.domain)

    def _target(self, pooled: Matrix) -> Matrix:
        """Return the target of the shrinkage."""
        if self.reference == "training":
            return self.reference_
        return np.eye(len(pooled)) * (np.trace(pooled) / len(pooled))

    def _shrunk(self, mean: Matrix, covariances: Matrix) -> tuple[Matrix, float]:
        evidence = Evidence.of(self._whitener @ covariances @ self._whitener)
        return self._shrunk_by(mean, evidence)

    def _shrunk_by(self, mean: Matrix, evidence: Evidence) -> tuple[Matrix, float]:
        return shrunk_by_evidence(mean, evidence, self._target_, self._whitener, self.shrinkage)

    def _map(self, covariance: Matrix) -> Matrix:
        if self.reference == "training":
            return transport_map(covariance, self.reference_)
        return whitening_map(covariance)

    def _maps_of_new_domain(self, key: Domain, trials: NDArray[Any]) -> Matrix:
        """Return the map of a new domain, or one for each of its trials."""
        if self.new_domains == "recursive":
            return self._recursive_maps(trial_covariances(trials))
        if self.new_domains == "calibration":
            if len(trials) < self.n_calibration:
                raise ValueError(
                    f"The new domain {key} has {len(trials)} trials, fewer than n_calibration="
                    f"{self.n_calibration}. Pass more trials in one call, call add_domains with "
                    "those recorded before, or set a smaller n_calibration."
                )
            trials = trials[: self.n_calibration]
        covariances = trial_covariances(trials)
        return self._map(self._shrunk(self._mean(covariances), covariances)[0])

    def _recursive_maps(self, covariances: Matrix) -> Matrix:
        relative = self._whitener @ covariances @ self._whitener
        maps = np.empty_like(covariances)
        total, squares = np.zeros_like(covariances[0]), 0.0
        for i, mean in enumerate(self._means(covariances)):
            total, squares = total + relative[i], squares + float((relative[i] ** 2).sum())
            maps[i] = self._map(self._shrunk_by(mean, Evidence(i + 1, total, squares))[0])
        return maps


class EuclideanAlignment(_Alignment):
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


class RiemannianAlignment(_Alignment):
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


def _rows_by_domain(domains: list[Domain]) -> dict[Domain, NDArray[np.intp]]:
    rows: dict[Domain, list[int]] = {}
    for i, domain in enumerate(domains):
        rows.setdefault(domain, []).append(i)
    return {domain: np.array(own) for domain, own in rows.items()}


def _like(X: Any, aligned: NDArray[np.float64]) -> EEGData | NDArray[np.float64]:
    """Return trials in the container that tells the next step channels and rate."""
    if isinstance(X, EEGData):
        return dataclasses.replace(X, X=aligned.astype(np.float32))
    epochs = epochs_in(X)
    if epochs:
        data = EEGData.concatenate([EEGData.from_epochs(part) for part in epochs])
        return dataclasses.replace(data, X=aligned.astype(np.float32))
    return aligned
