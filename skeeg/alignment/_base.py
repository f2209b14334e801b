"""What alignments share: domains, shrinkage, maps, and the ways to meet a new domain."""

from __future__ import annotations

import dataclasses
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
    check_shrinkage,
    shrunk_by_evidence,
    transport_map,
    trial_covariances,
    whitening_map,
)
from .domains import UNNAMED, Domain, check_domain_columns, domains_of, epochs_in

REFERENCES = ("training", "identity")
NEW_DOMAINS = ("transductive", "calibration", "recursive")


class Alignment(TrialTransformer):
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

    def _next_mean(self, mean: Matrix, covariance: Matrix, n: int) -> Matrix:
        """Return the mean of `n` covariances, from that of all but the last and the last."""
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
