"""Layers of a stacked network: one network that computes several of the same architecture.

`torch.vmap` calls the network with weights, buffers and trials that have a row for each member. Two
kinds of layers differ between members in more than weights: activations, and dropout, whose random
numbers come from the stream of each member.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn


class _State(threading.local):
    is_stacking = False


_STATE = _State()


@contextmanager
def stacking() -> Iterator[None]:
    """Compute layers in a form that `torch.vmap` supports, in this thread."""
    _STATE.is_stacking = True
    try:
        yield
    finally:
        _STATE.is_stacking = False


def is_stacking() -> bool:
    """Return whether layers must compute in a form that `torch.vmap` supports."""
    return _STATE.is_stacking


def in_channels_last(x: Tensor) -> Tensor:
    """Return a tensor with all maps of a sample together in memory, which is faster on a CPU.

    In a stacked network, it is returned as it is.

    Parameters
    ----------
    x : Tensor, shape (batch, n_maps, height, width)

    Returns
    -------
    Tensor, shape of `x`
    """
    return x if is_stacking() else x.contiguous(memory_format=torch.channels_last)


class StackedActivation(nn.Module):
    """The activations of all members of a stacked network.

    Parameters
    ----------
    activations : sequence of torch.nn.Module
        The activation of each member.
    """

    def __init__(self, activations: Sequence[nn.Module]) -> None:
        super().__init__()
        self.activations = nn.ModuleList(activations)
        self.present = list(range(len(activations)))
        self._kinds = list(map(repr, activations))

    def forward(self, input: Tensor) -> Tensor:
        """Return the activations of the members that are `present`, in their order."""
        runs = [list(run) for _, run in groupby(self.present, key=self._kinds.__getitem__)]
        functions = [(self.activations[run[0]], len(run)) for run in runs]
        output: Tensor = _OfMembers.apply(input, functions)
        return output


class _OfMembers(torch.autograd.Function):
    """A function for each run of members, each applied to the part of its members."""

    @staticmethod
    def forward(input: Tensor, functions: list[tuple[nn.Module, int]]) -> Tensor:
        raise RuntimeError("The layers of a stacked network need torch.vmap.")

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Do nothing: the functions themselves are differentiated."""

    @staticmethod
    def vmap(
        info: Any, in_dims: Any, input: Tensor, functions: list[tuple[nn.Module, int]]
    ) -> tuple[Tensor, int]:
        if len(functions) == 1:
            return functions[0][0](input), in_dims[0]
        parts = input.split([count for _, count in functions], dim=in_dims[0])
        outputs = [of_part(part) for (of_part, _), part in zip(functions, parts, strict=True)]
        return torch.cat(outputs, dim=in_dims[0]), in_dims[0]


class StackedDropout(nn.Module):
    """Multiplication with a mask, which is passed as a buffer with a row for each member."""

    mask: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mask", torch.ones(()))

    def forward(self, input: Tensor) -> Tensor:
        """Return the input of a member times its mask."""
        return input * self.mask
