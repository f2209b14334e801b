"""Folds in threads of one process, which share global generators and warnings."""

from __future__ import annotations

import os
import random
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

#: Packages whose estimators draw random numbers from their ``random_state`` only.
_SEEDED_PACKAGES = ("mne", "pyriemann", "skeeg", "sklearn")
_VALUES = (type(None), bool, int, float, str, np.generic, np.ndarray)


class _Shared:
    """What the threads of a process share while folds run in them."""

    _no_effect_on_result = ("generators", "warnings", "n_recording", "records", "open")

    def __init__(self) -> None:
        self.generators = threading.RLock()
        self.warnings = threading.Lock()
        self.n_recording = 0
        self.records: dict[int, list[list[warnings.WarningMessage]]] = {}
        self.open = ExitStack()


_SHARED = _Shared()


def _renew() -> None:
    """Replace the locks in a forked process, where the threads that held them do not exist."""
    global _SHARED
    _SHARED = _Shared()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


def uses_own_randomness(value: Any) -> bool:
    """Return whether estimators and scorers surely leave the global generators alone.

    Parameters
    ----------
    value : object
        Estimators in which every ``random_state`` is set, and lists of them.

    Returns
    -------
    own : bool
        True only if they consist of estimators of known packages with plain parameters.
    """
    if isinstance(value, _VALUES):
        return True
    if isinstance(value, (list, tuple)):
        return all(map(uses_own_randomness, value))
    if isinstance(value, dict):
        return all(map(uses_own_randomness, value.values()))
    known = type(value).__module__.partition(".")[0] in _SEEDED_PACKAGES
    if not known or isinstance(value, type):
        return False
    if hasattr(value, "get_params"):
        runs_other_code = getattr(value, "_runs_foreign_code", None)
        if runs_other_code is not None and runs_other_code():
            return False
        return all(map(uses_own_randomness, value.get_params(deep=False).values()))
    function = getattr(value, "_score_func", None)  # of scorers of scikit-learn
    return str(getattr(function, "__module__", "")).startswith("sklearn.")


@contextmanager
def global_seed(seed: int) -> Iterator[None]:
    """Seed the global generators for one thread at a time, and restore their states.

    Parameters
    ----------
    seed : int
    """
    with _SHARED.generators:
        python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002  the generator of estimators of other packages
        try:
            with _torch_seed(seed):
                yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002


@contextmanager
def _torch_seed(seed: int) -> Iterator[None]:
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield


@contextmanager
def recorded_warnings() -> Iterator[list[warnings.WarningMessage]]:
    """Record the warnings of this thread, as ``warnings.catch_warnings`` does without threads.

    Yields
    ------
    caught : list of warnings.WarningMessage
    """
    shared, caught = _SHARED, list[warnings.WarningMessage]()
    own = threading.get_ident()
    with shared.warnings:
        if shared.n_recording == 0:
            shared.open.enter_context(_dispatched(shared))
        shared.n_recording += 1
        shared.records.setdefault(own, []).append(caught)
    try:
        yield caught
    finally:
        with shared.warnings:
            shared.records[own].pop()
            shared.n_recording -= 1
            if shared.n_recording == 0:
                shared.open.close()


@contextmanager
def _dispatched(shared: _Shared) -> Iterator[None]:
    """Pass each warning to the innermost record of its thread."""
    with warnings.catch_warnings():
        shown = warnings.showwarning
        # Filters by place count for all threads together: a second fold would stay silent.
        warnings.filters[:] = [  # type: ignore[index]
            (action if action in ("ignore", "error") else "always", *rest)
            for action, *rest in warnings.filters
        ]
        warnings.simplefilter("always", append=True)

        def show(message: Any, category: Any, filename: Any, lineno: Any, *rest: Any) -> None:
            records = shared.records.get(threading.get_ident())
            if records:
                found = warnings.WarningMessage(message, category, filename, lineno)
                records[-1].append(found)
            else:
                shown(message, category, filename, lineno, *rest)

        setattr(warnings, "showwarning", show)  # noqa: B010
        yield
