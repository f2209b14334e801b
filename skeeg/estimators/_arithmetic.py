"""Device, threads and random stream of a fit or a prediction."""

from __future__ import annotations

import numbers
import os
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state
from torch.overrides import TorchFunctionMode

from .._warnings import user_stacklevel
from ..layers._random import RandomFunctionsMode, random_stream

#: Lock for fits of compiled networks, which draw from torch's global generators.
_GLOBAL_GENERATOR = threading.RLock()


def _renew_lock() -> None:
    """Replace the lock in a forked process, where the thread that held it does not exist."""
    global _GLOBAL_GENERATOR
    _GLOBAL_GENERATOR = threading.RLock()


#: Functions that make tensors of the default dtype, whatever their arguments are.
_OF_DEFAULT_DTYPE = frozenset(
    {torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn, torch.eye, torch.linspace}
)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def resolve_device(device: str | torch.device) -> str:
    """Return the torch device for a ``device`` parameter on this machine.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda", "cuda:0", ...}
        ``"auto"`` is CUDA if it is available, else the CPU.

    Returns
    -------
    device : str
        Such as ``"cpu"`` or ``"cuda:1"``.

    Raises
    ------
    ValueError
        If torch has no such device, or this machine does not.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        wanted = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f'device must be "auto", "cpu", "cuda" or such as "cuda:1", got {device!r}.'
        ) from error
    if wanted.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (wanted.index or 0) >= count:
            raise ValueError(
                f"device is {str(wanted)!r}, but torch finds {count} usable CUDA devices on this "
                'machine. Use device="auto" for CUDA if it is available, else the CPU.'
            )
    elif wanted.type != "cpu":
        try:
            torch.empty(1, device=wanted)
        except (RuntimeError, NotImplementedError, AssertionError) as error:
            raise ValueError(
                f"device is {str(wanted)!r}, which torch cannot use on this machine: {error}"
            ) from error
    return str(wanted)


def usable_device(device: str | torch.device) -> str:
    """Return the device for a loaded network; if it does not exist, warn and return the CPU."""
    try:
        return resolve_device(device)
    except ValueError as error:
        warnings.warn(f"{error} The network is loaded on the CPU.", stacklevel=user_stacklevel())
        return "cpu"


@contextmanager
def arithmetic(device: str, n_threads: int) -> Iterator[None]:
    """Set torch to reproducible arithmetic, and restore its settings at the end.

    No lock is held: estimators in several threads can fit and predict at the same time.

    Parameters
    ----------
    device : str
        Device returned by `resolve_device`.
    n_threads : int
        Threads of each operation on the CPU. Sums that are split over another number of threads
        differ in their last bit, and training amplifies the difference.
    """
    _keep_memory()
    with ExitStack() as stack:
        stack.enter_context(_threads(n_threads))
        stack.enter_context(_denormals_as_zero(n_threads))
        if torch.device(device).type == "cuda":
            stack.enter_context(
                torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True)
            )
        yield


class Float32Mode(TorchFunctionMode):
    """While active, tensors of the default dtype are of float32, whatever the default is.

    ``torch.set_default_dtype`` holds for all threads. Weights that are drawn as float64 are others
    than those that are drawn as float32 from the same seed.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call a function of torch, with a dtype where it would take the default."""
        kwargs = dict(kwargs or {})
        if func in _OF_DEFAULT_DTYPE and kwargs.get("dtype") is None and "out" not in kwargs:
            kwargs["dtype"] = torch.float32
        return func(*args, **kwargs)


def training_seed(random_state: Any, n_epochs: int) -> int:
    """Return the seed of a training that begins after ``n_epochs`` epochs."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, numbers.Integral):
        check_random_state(random_state)  # refuses what scikit-learn refuses
        return int(np.random.SeedSequence([int(random_state), n_epochs]).generate_state(1)[0])
    return int(check_random_state(random_state).randint(2**31 - 1))


def runs_foreign_code(parts: Sequence[Any], train_split: Any, callbacks: Any) -> bool:
    """Return whether code that does not know of the random stream takes part in a training.

    Parameters
    ----------
    parts : sequence
        Classes or instances of network, loss and data loader.
    train_split, callbacks
        Parameters of the estimator.
    """
    given = [] if callbacks in (None, "disable") else callbacks
    others = [item[1] if isinstance(item, (list, tuple)) else item for item in given]
    if train_split is not None:
        others.append(train_split)
    return not all(map(_is_known, [*parts, *others]))


def _is_known(part: Any) -> bool:
    """Return whether a component draws from the random stream of the fit, or not at all."""
    kind = part if isinstance(part, type) else type(part)
    return kind.__module__.startswith(("skeeg.", "skorch.", "torch.nn.modules.loss"))


@contextmanager
def fit_randomness(
    seed: int, device: str, *, foreign: bool = False, compiled: bool = False
) -> Iterator[None]:
    """Draw all random numbers of a fit from its own stream.

    Parameters
    ----------
    seed : int
    device : str
        Device returned by `resolve_device`.
    foreign : bool
        Whether code outside skeeg may draw random numbers. Its calls of torch's functions then use
        the stream.
    compiled : bool
        Whether the network is compiled. Compiled code can draw only from torch's global generators.
        They are seeded and restored, and only one such fit uses them at a time.
    """
    with ExitStack() as stack:
        stack.enter_context(random_stream(seed, device))
        if foreign:
            stack.enter_context(RandomFunctionsMode())
        if compiled:
            stack.enter_context(_GLOBAL_GENERATOR)
            stack.enter_context(_seeded_global_generators(seed, device))
        yield


@contextmanager
def _seeded_global_generators(seed: int, device: str) -> Iterator[None]:
    on_cuda = torch.device(device).type == "cuda"
    index = torch.device(device).index if on_cuda else None
    devices = [torch.cuda.current_device() if index is None else index] if on_cuda else []
    with torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(seed)
        for i in devices:
            torch.cuda.default_generators[i].manual_seed(seed)
        yield


@cache
def _keep_memory() -> None:
    """Make the C library reuse the memory of a batch for the next one.

    glibc returns free memory to the system if it exceeds twice the largest block freed so far,
    which counts up to 32 MB. Before such a block is freed, each batch requests its pages from the
    system again, which can take a tenth of its time. The block allocated here is never written to,
    so it uses no memory.
    """
    torch.empty(2**25 - 2**16, dtype=torch.uint8)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    if before == count:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _denormals_as_zero(n_threads: int) -> Iterator[None]:
    """Treat denormal numbers, below 1e-38, as zero.

    Saturated units produce many of them, and processors compute with them so slowly that an epoch
    of CCNN can take eight times as long.
    """
    if (torch.tensor(1e-20, device="cpu") * 1e-20).item() == 0:
        yield
        return
    # Worker threads inherit the setting of the thread that starts them and keep it. This sum starts
    # them before the setting changes.
    if n_threads > 1:
        torch.ones(2**15 * n_threads, device="cpu").sum()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
