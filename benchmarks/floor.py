"""Lower bounds of the time of a batch on a machine, from counts of bytes and multiply-adds.

`benchmarks/speed.py` compares its measurements with two lower bounds, called floors:

* **layer by layer**: every operation of the network, in skeeg's order, reads its input and writes
  its output once. In the backward pass it reads its input and the gradient of its output, and
  writes the gradient of its input. The time of an operation is the longer of two times: that of its
  multiply-adds at the rate of a matrix product, and that of its bytes at the rate of a copy in
  cache.
* **minimum**: the trials are read once from memory, and everything else stays in cache. The front
  end is computed by the method with the fewest multiply-adds, and all of them run at the rate of a
  matrix product.

Neither includes the second passes of batch normalisations, exponentials, random numbers, padding,
or the overhead of calling an operation.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from scipy.fft import next_fast_len
from torch import Tensor, nn

from skeeg.layers import TemporalSpatialFilter
from skeeg.layers._correlation import cut_into_frames
from skeeg.layers.temporal_spatial import FEW_CHANS
from skeeg.networks import ShallowConvNet

_FLOAT32 = 4  # bytes


@dataclass(frozen=True)
class Operation:
    """Arithmetic and memory traffic of an operation for a batch."""

    multiply_adds: float
    values: float  # float32 numbers read and written

    def __add__(self, other: Operation) -> Operation:
        return Operation(self.multiply_adds + other.multiply_adds, self.values + other.values)

    @property
    def bytes(self) -> float:
        """Bytes read and written."""
        return _FLOAT32 * self.values


@dataclass(frozen=True)
class Machine:
    """Highest measured rates of a matrix product, and of copies in cache and in memory."""

    flops: float  # per second; a multiply-add is two
    cache: float  # bytes read and written per second
    memory: float

    def seconds(self, operation: Operation) -> float:
        """Return the time of an operation whose values are in cache."""
        return max(2 * operation.multiply_adds / self.flops, operation.bytes / self.cache)


@dataclass(frozen=True)
class Floor:
    """Lower bound of the time of a batch."""

    operation: Operation
    seconds: float


def measure_machine(threads: int, repeats: int = 30) -> Machine:
    """Return the rates of this machine with up to a number of threads."""
    side, in_cache, in_memory = 1024, 2**19, 2**26
    a, b, out = torch.randn(side, side), torch.randn(side, side), torch.empty(side, side)
    before = torch.get_num_threads()

    def rate(amount: float, function: Callable[[], Any]) -> float:
        times = []
        for count in sorted({1, threads}):
            torch.set_num_threads(count)
            times.append(_least(function, repeats))
        torch.set_num_threads(before)
        return amount / min(times)

    def copying(n_values: int) -> float:
        source, target = torch.randn(n_values), torch.empty(n_values)
        return rate(2 * _FLOAT32 * n_values, lambda: target.copy_(source))

    return Machine(
        flops=rate(2 * side**3, lambda: torch.mm(a, b, out=out)),
        cache=copying(in_cache),
        memory=copying(in_memory),
    )


def _least(function: Callable[[], Any], repeats: int) -> float:
    """Return the shortest time of several calls, because disturbances only increase it."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def layered_floor(network: nn.Module, x: Tensor, machine: Machine, *, training: bool) -> Floor:
    """Return the floor of the network's operations, layer by layer."""
    operations = _operations(network, x, training)
    total = sum(operations[1:], operations[0])
    return Floor(total, sum(machine.seconds(operation) for operation in operations))


def least_floor(network: nn.Module, x: Tensor, machine: Machine, *, training: bool) -> Floor:
    """Return the floor of the network's function, for any method of computing it."""
    front = min(
        (front_end(network.filters, x, method, training) for method in _FRONT_ENDS),
        key=lambda operation: operation.multiply_adds,
    )
    multiply_adds = front.multiply_adds + sum(
        operation.multiply_adds for operation in _rest(network, x, training)
    )
    parameters = sum(parameter.numel() for parameter in network.parameters())
    needed = Operation(multiply_adds, x.numel() + (2 if training else 1) * parameters)
    seconds = max(2 * multiply_adds / machine.flops, needed.bytes / machine.memory)
    return Floor(needed, seconds)


def _operations(network: nn.Module, x: Tensor, training: bool) -> list[Operation]:
    method = _method_taken(network.filters, x)
    operations = [front_end(network.filters, x, method, training), *_rest(network, x, training)]
    if training:
        operations.append(Operation(0, 2 * x.numel()))  # selects the batch from all trials
        if network.filters.norm is not None and method != "direct":
            length = network.filters.banks[0].kernel_size[1]
            sums = length + length * (length + 1) // 2
            # In float64, which counts twice: selected, then summed.
            operations.append(Operation(0, 3 * 2 * len(x) * sums))
    return operations


def _rest(network: nn.Module, x: Tensor, training: bool) -> list[Operation]:
    """Return the operations after the front end, from the shapes of their inputs."""
    found: list[Operation] = []

    def record(layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        before, after = inputs[0].numel(), output.numel()
        multiply_adds = 0
        if isinstance(layer, nn.Conv2d | nn.Linear):
            multiply_adds = after * layer.weight[0].numel()
        if training:  # one product forward, two backward
            found.append(Operation(3 * multiply_adds, 3 * before + 2 * after))
        else:
            found.append(Operation(multiply_adds, before + after))

    excluded = set(network.filters.modules())
    if isinstance(network, ShallowConvNet):  # they are computed together with the pool
        excluded |= {network.norm, network.activate}
    leaves = [m for m in network.modules() if m not in excluded and not list(m.children())]
    hooks = [leaf.register_forward_hook(record) for leaf in leaves]
    was_training = network.training
    try:
        with torch.no_grad():
            network.eval()(x)
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return found


# ---------------------------------------------------------------------- the front end


@torch.no_grad()
def _method_taken(filters: TemporalSpatialFilter, x: Tensor) -> str:
    """Return the method that ``"auto"`` selects: the one whose output is equal to the last bit."""
    filters = copy.deepcopy(filters).eval()
    taken = filters(x)
    for filters.method in _FRONT_ENDS:
        if torch.equal(filters(x), taken):
            return filters.method
    raise RuntimeError(f"None of {list(_FRONT_ENDS)} has the output of {filters}.")


@dataclass(frozen=True)
class _Sizes:
    """Sizes of a front end and its batch.

    ``inputs`` is the number of values of the trials, ``mixtures`` that of the spatially filtered
    signals before the temporal filter, ``outputs`` that after it, and ``maps`` that between the
    temporal and the spatial layer if they are computed one by one.
    """

    batch: int
    n_chans: int
    n_maps: int
    n_out: int
    length: int
    n_fft: int
    inputs: int
    mixtures: int
    outputs: int
    maps: int


def front_end(filters: TemporalSpatialFilter, x: Tensor, method: str, training: bool) -> Operation:
    """Return the operation of a method, without the gradient with respect to the trials."""
    batch, n_chans, n_times = x.shape
    n_out, n_maps = filters.spatial.out_channels, filters.spatial.in_channels
    length = max(bank.kernel_size[1] for bank in filters.banks)
    n_after = n_times + sum(filters.time_padding) - length + 1
    sizes = _Sizes(
        batch=batch,
        n_chans=n_chans,
        n_maps=n_maps,
        n_out=n_out,
        length=length,
        n_fft=next_fast_len(n_times + length - 1, real=True),
        inputs=x.numel(),
        mixtures=batch * n_out * n_times,
        outputs=batch * n_out * n_after,
        maps=batch * n_maps * n_chans * n_after,
    )
    return _FRONT_ENDS[method](filters, sizes, training)


def _direct(filters: TemporalSpatialFilter, n: _Sizes, training: bool) -> Operation:
    per_map = filters.spatial.weight[0].numel() * n.outputs
    if not training:
        normalised = 2 * n.maps if filters.norm is not None else 0
        return Operation(
            n.maps * n.length + per_map, n.inputs + 2 * n.maps + normalised + n.outputs
        )
    normalised = 5 * n.maps if filters.norm is not None else 0
    temporal = 2 * n.inputs + 2 * n.maps
    spatial = 3 * n.maps + 2 * n.outputs
    return Operation(2 * n.maps * n.length + 3 * per_map, temporal + normalised + spatial)


def _merged(filters: TemporalSpatialFilter, n: _Sizes, training: bool) -> Operation:
    if filters.depthwise and not (training and n.n_chans <= FEW_CHANS):
        # mix the channels, then filter the mixtures
        mixing, filtering = n.n_chans * n.mixtures, n.length * n.outputs
        if training:
            values = 2 * n.inputs + 5 * n.mixtures + 3 * n.outputs
            return Operation(2 * mixing + 3 * filtering, values)
        return Operation(mixing + filtering, n.inputs + 2 * n.mixtures + n.outputs)
    convolving = n.n_chans * n.length * n.outputs
    beside = 2 * n.inputs  # the layout is changed to channels last
    if training:
        return Operation(2 * convolving, beside + 2 * n.inputs + 2 * n.outputs)
    return Operation(convolving, beside + n.inputs + n.outputs)


def _spectral(filters: TemporalSpatialFilter, n: _Sizes, training: bool) -> Operation:
    # A transform of real numbers has 2.5 n log2 n operations, a product of two complex numbers four
    # multiply-adds, and a spectrum as many values as its signal.
    transform = 1.25 * n.n_fft * math.log2(n.n_fft)
    spectrum = n.batch * n.n_fft
    if filters.depthwise:
        mixing = n.n_chans * n.mixtures
        transforms, products = 2 * n.batch * n.n_out * transform, 2 * spectrum * n.n_out
        values = n.inputs + 2 * n.mixtures + 4 * spectrum * n.n_out + n.outputs
        if training:
            values += n.inputs + 2 * n.mixtures + 6 * spectrum * n.n_out + n.outputs
            return Operation(2 * mixing + 2 * transforms + 3 * products, values)
        return Operation(mixing + transforms + products, values)
    pairs = n.n_chans * n.n_out  # kernels, which are transformed once per batch
    frames = cut_into_frames(
        torch.Size((n.batch, n.n_chans, n.inputs // (n.batch * n.n_chans))),
        torch.Size((n.n_out, n.n_chans, n.length)),
        filters.time_padding,
    )
    transform = 1.25 * frames.n_fft * math.log2(frames.n_fft)
    n_frames = n.batch * frames.n_frames
    spectrum = n_frames * frames.n_fft
    transforms = (n_frames * (n.n_chans + n.n_out) + pairs) * transform
    products = 2 * spectrum * pairs
    values = n.inputs + 2 * spectrum * (n.n_chans + n.n_out) + n.outputs + 2 * pairs * frames.n_fft
    if training:
        transforms += (n_frames * n.n_out + pairs) * transform
        values += n.outputs + spectrum * (n.n_chans + 2 * n.n_out) + 2 * pairs * frames.n_fft
        products *= 2
    return Operation(transforms + products, values)


_FRONT_ENDS: dict[str, Callable[[TemporalSpatialFilter, _Sizes, bool], Operation]] = {
    "direct": _direct,
    "merged": _merged,
    "spectral": _spectral,
}
