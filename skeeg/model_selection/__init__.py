"""Folds for honest evaluation, splitters, the leakage guard, search spaces, and stored fits."""

from __future__ import annotations

from .clusters import dask_backend
from .folds import Fold, LeakageError
from .halving import EpochHalvingSearchCV
from .leakage import LeakageReport, check_leakage, choose_protocol
from .memoized import Memoized
from .optuna_search import OptunaSearchCV
from .protocols import PROTOCOLS, cross_session, cross_subject, make_folds, within_subject
from .search_spaces import activation_grid
from .splitters import LeaveSubjectsOut, TrialKFold, WithinSubject
from .stacked import StackedSearchCV
from .window_splitters import BlockwiseKFold, ShuffledSegmentKFold

__all__ = [
    "PROTOCOLS",
    "BlockwiseKFold",
    "EpochHalvingSearchCV",
    "Fold",
    "LeakageError",
    "LeakageReport",
    "LeaveSubjectsOut",
    "Memoized",
    "OptunaSearchCV",
    "ShuffledSegmentKFold",
    "StackedSearchCV",
    "TrialKFold",
    "WithinSubject",
    "activation_grid",
    "check_leakage",
    "choose_protocol",
    "cross_session",
    "cross_subject",
    "dask_backend",
    "make_folds",
    "within_subject",
]
