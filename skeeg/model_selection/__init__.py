"""Folds for honest evaluation, the leakage guard, and search spaces."""

from __future__ import annotations

from .leakage import LeakageError, check_leakage
from .protocols import (
    PROTOCOLS,
    Fold,
    choose_protocol,
    cross_session,
    cross_subject,
    make_folds,
    within_subject,
)
from .search_spaces import activation_grid

__all__ = [
    "PROTOCOLS",
    "Fold",
    "LeakageError",
    "activation_grid",
    "check_leakage",
    "choose_protocol",
    "cross_session",
    "cross_subject",
    "make_folds",
    "within_subject",
]
