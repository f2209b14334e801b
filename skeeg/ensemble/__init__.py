"""Ensembles: the mean of several fits of one estimator with seeds of their own."""

from __future__ import annotations

from ._averaging import EnsembleClassifier, EnsembleRegressor

__all__ = ["EnsembleClassifier", "EnsembleRegressor"]
