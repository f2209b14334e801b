"""Where and how a network computes: device, threads, and a random stream of its own."""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

import torch

#: torch has one CPU generator and one thread count in a process. Fits that run in several threads
#: (joblib's ``threading`` backend) take turns, or they would draw from each other's stream.
_LOCK = threading.RLock()


def resolve_device(device: str | torch.device) -> str:
    """Return the torch device that a ``device`` parameter means on this machine.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda", "cuda:0", ...}
        ``"auto"`` is CUDA where usable, else the CPU.

    Returns
    -------
    device : str
        Such as ``"cpu"`` or ``"cuda:1"``.

    Raises
    ------
    ValueError
        If torch knows no such device, or this machine has none.
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
                f"device is {str(wanted)!r}, but torch sees {count} usable CUDA devices on this "
                'machine. Use device="auto" for CUDA where there is one, else the CPU.'
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
    """Return the device for a loaded network: the CPU, with a warning, where its own is absent."""
    try:
        return resolve_device(device)
    except ValueError as error:
        warnings.warn(f"{error} The network is loaded on the CPU.", stacklevel=3)
        return "cpu"


def moved(components: dict[str, Any], device: str) -> dict[str, Any]:
    """Return copies of a module and its optimiser on another device, still tied to each other."""
    buffer = io.BytesIO()
    torch.save(components, buffer)
    buffer.seek(0)
    return torch.load(buffer, map_location=device, weights_only=False)


@contextmanager
def arithmetic(device: str, n_threads: int, seed: int | None = None) -> Iterator[None]:
    """Compute repeatably, and leave torch as it was.

    Parameters
    ----------
    device : str
        As `resolve_device` returns it.
    n_threads : int
        Threads of each operation on the CPU. Sums that are split over another number of threads
        differ in their last bit, and training makes that bit grow.
    seed : int, optional
        Seeds torch inside; its generators are put back at the end in any case.
    """
    on_cuda = torch.device(device).type == "cuda"
    _keep_memory()
    with ExitStack() as stack:
        stack.enter_context(_LOCK)
        stack.enter_context(_threads(n_threads))
        stack.enter_context(_denormals_as_zero())
        if on_cuda:
            stack.enter_context(
                torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True)
            )
        # A data loader draws from the global generator even where nothing is shuffled.
        index = torch.device(device).index if on_cuda else None
        devices = [torch.cuda.current_device() if index is None else index] if on_cuda else []
        stack.enter_context(torch.random.fork_rng(devices=devices))
        if seed is not None:
            torch.default_generator.manual_seed(seed)
            for i in devices:
                torch.cuda.default_generators[i].manual_seed(seed)
        yield


@cache
def _keep_memory() -> None:
    """Have the C library keep the memory of a batch for the next one.

    glibc gives back what is free beyond twice the largest block that it ever got back, of 32 MB at
    most. Until it has seen such a block, a batch in smaller ones asks the system for its pages
    anew, which can take a tenth of its time. This block is never written to, so it costs none.
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
def _denormals_as_zero() -> Iterator[None]:
    """Take numbers below 1e-38 for zero, of which saturated units make many.

    A processor computes with them so slowly that an epoch of CCNN can take eight times as long.
    """
    if (torch.tensor(1e-20) * 1e-20).item() == 0:
        yield
        return
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
