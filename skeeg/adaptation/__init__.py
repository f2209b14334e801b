"""Meta-estimators that adapt a network to each subject, session or run that they predict."""

from __future__ import annotations

from ._adapted import AdaptedClassifier, AdaptedRegressor

__all__ = ["AdaptedClassifier", "AdaptedRegressor"]
