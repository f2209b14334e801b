"""Batch normalisation that is re-estimated on the trials of a new domain, without their labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

from .._validation import amplitudes, check_X, standard_deviation
from ..layers import TemporalSpatialFilter
from ._amplitudes import typical_amplitude
from ._batches import TrialDataset
from ._hooks import uncompiled
from ._selection import SelectedChannels


def adapt_network(net: Any, X: Any, *, rescale: bool) -> None:
    """Replace the statistics of batch normalisation by those of other trials.

    The layers are taken in the order of the forward pass, so that each sees what it will see in a
    prediction: inputs that the layers before it have normalised with their new statistics. One
    pass in training mode, as ``torch.optim.swa_utils.update_bn`` makes, would let a layer see
    inputs that were normalised by batch, and dropout, and average the variances of batches.

    Parameters
    ----------
    net : NetworkEstimator
        Fitted.
    X : any container of trials
    rescale : bool
        Whether the scale of the trials is replaced too.

    Raises
    ------
    ValueError
        If the network has no statistics of batch normalisation, the trials are invalid, or too few
        for a variance.
    """
    module = uncompiled(net.module_)
    norms = tracked_norms(module)
    if not norms:
        raise ValueError(
            f"The network of this {type(net).__name__} has no batch normalisation with running "
            "statistics, which is what adapt estimates anew. Use finetune with some labelled "
            "trials, or skeeg.alignment before the network."
        )
    with _on_failure_restored(net, norms), _evaluated_plainly(net, module), net._arithmetic():
        if rescale:
            net.scale_ = _scale_of(net, module, X)
            net._typical_amplitude = 0.0  # compares with no unit
        dataset = net.get_dataset(X)
        if rescale:
            net._typical_amplitude = typical_amplitude(amplitudes(dataset.trials.numpy()))
        for norm in _in_forward_order(net, module, norms, dataset):
            _estimate(net, module, norm, dataset)


def _scale_of(net: Any, module: nn.Module, X: Any) -> float:
    """Return the standard deviation of trials, over the channels that the network uses."""
    trials = net._unwrapped(X, reset=False)
    checked = check_X(net, trials, reset=False, axes=net._trial_axes)
    if isinstance(module, SelectedChannels):
        checked = checked[:, module.channels.cpu().numpy()]
    return standard_deviation(checked, **net._for_messages(trials))


def tracked_norms(module: nn.Module) -> list[_BatchNorm]:
    """Return the layers of batch normalisation that keep running statistics."""
    return [
        layer
        for layer in module.modules()
        if isinstance(layer, _BatchNorm) and layer.running_mean is not None
    ]


class _Moments:
    """Count, mean and sum of squared deviations of each map, merged over batches in float64."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: Tensor | float = 0.0
        self.squares: Tensor | float = 0.0

    def add(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Merge with the moments of further values, with their biased variance."""
        total = self.count + count
        delta = mean - self.mean
        self.mean = self.mean + delta * (count / total)
        self.squares = self.squares + variance * count + delta**2 * (self.count * count / total)
        self.count = total

    def add_values(self, x: Tensor) -> None:
        """Merge with the values of shape (batch, n_maps, ...)."""
        values = x.double().transpose(0, 1).flatten(1)
        variance, mean = torch.var_mean(values, dim=1, correction=0)
        self.add(mean, variance, values.shape[1])


class _Watching(TorchFunctionMode):
    """While active, what batch normalisation gets is passed to a function, layer by layer.

    Parameters
    ----------
    norms : sequence of _BatchNorm
    seen : callable
        Called with a layer and its input in the layout of torch, whatever that of the network is.
    """

    def __init__(self, norms: Sequence[_BatchNorm], seen: Any) -> None:
        self.norms = {id(norm.running_mean): norm for norm in norms}
        self.seen = seen

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call a function of torch, after passing on its input if it normalises."""
        kwargs = kwargs or {}
        if func is F.batch_norm:
            mean = args[1] if len(args) > 1 else kwargs.get("running_mean")
            if id(mean) in self.norms:
                self.seen(self.norms[id(mean)], args[0] if args else kwargs["input"])
        return func(*args, **kwargs)


@contextmanager
def _watching(module: nn.Module, norms: Sequence[_BatchNorm], seen: Any) -> Iterator[None]:
    """Call ``seen(norm, input)`` for layers, and ``seen(norm, filters, input)`` for fast filters.

    A `TemporalSpatialFilter` does not compute what its layer normalises, but has its statistics.
    """
    inside = {
        id(filters.norm): filters
        for filters in module.modules()
        if isinstance(filters, TemporalSpatialFilter)
    }
    with ExitStack() as stack:
        for norm in norms:
            filters = inside.get(id(norm))
            if filters is None:
                # A hook keeps the networks of skeeg from merging the layer into the one before.
                handle = norm.register_forward_pre_hook(_pass)
            else:
                handle = filters.register_forward_pre_hook(_filters_hook(norm, seen))
            stack.callback(handle.remove)
        called = [norm for norm in norms if id(norm) not in inside]
        stack.enter_context(_Watching(called, lambda norm, x: seen(norm, None, x)))
        yield


def _pass(layer: nn.Module, args: Any) -> None:
    """Do nothing."""


def _filters_hook(norm: _BatchNorm, seen: Any) -> Any:
    return lambda filters, args: seen(norm, filters, args[0])


def _in_forward_order(
    net: Any, module: nn.Module, norms: Sequence[_BatchNorm], dataset: TrialDataset
) -> list[_BatchNorm]:
    """Return the layers that a prediction uses, in the order in which it does."""
    order: dict[int, _BatchNorm] = {}

    def note(norm: _BatchNorm, filters: Any, x: Tensor) -> None:
        order.setdefault(id(norm), norm)

    with _watching(module, norms, note):
        _forward(net, dataset, first_only=True)
    return list(order.values())


def _estimate(net: Any, module: nn.Module, norm: _BatchNorm, dataset: TrialDataset) -> None:
    """Set the statistics of one layer."""
    moments = _Moments()

    def note(norm: _BatchNorm, filters: Any, x: Tensor) -> None:
        if filters is None:
            moments.add_values(x)
        else:
            moments.add(*filters.map_statistics(x))

    with _watching(module, [norm], note):
        _forward(net, dataset)
    if moments.count < 2:
        raise ValueError(
            f"adapt of {type(net).__name__} got {len(dataset)} trial, of which a layer of batch "
            "normalisation sees a single value, which has no variance. Pass more trials."
        )
    variance = torch.as_tensor(moments.squares) / (moments.count - 1)
    for statistic, value in (
        (norm.running_mean, torch.as_tensor(moments.mean)),
        (norm.running_var, variance),
    ):
        if statistic is not None:
            statistic.copy_(value)


def _forward(net: Any, dataset: TrialDataset, *, first_only: bool = False) -> None:
    for batch in net.get_iterator(dataset, training=False):
        net.evaluation_step(batch, training=False)
        if first_only:
            return


@contextmanager
def _evaluated_plainly(net: Any, module: nn.Module) -> Iterator[None]:
    """Evaluate the network itself rather than compiled code, which has no hooks."""
    compiled = net.module_
    net.module_ = module
    try:
        yield
    finally:
        net.module_ = compiled


@contextmanager
def _on_failure_restored(net: Any, norms: Sequence[_BatchNorm]) -> Iterator[None]:
    """Restore the scale and the statistics of layers if an error occurs."""
    scales = {"scale_": net.scale_, "_typical_amplitude": net._typical_amplitude}
    states = [{name: v.clone() for name, v in norm.state_dict().items()} for norm in norms]
    try:
        yield
    except BaseException:
        vars(net).update(scales)
        for norm, state in zip(norms, states, strict=True):
            norm.load_state_dict(state)
        raise
