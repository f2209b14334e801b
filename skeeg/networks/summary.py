"""What is inside a network: its layers, their outputs, parameters and arithmetic."""

from __future__ import annotations

import copy
import html
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import pandas as pd
import torch
from sklearn.exceptions import NotFittedError
from torch import Tensor, nn

from .._checks import check_positive_ints
from .._validation import MAPS, POINTS, SIGNALS
from ..layers import (
    MixedDepthwiseConv,
    PartialConv2d,
    RadialBasis,
    TemporalSpatialFilter,
    TrainableSubsampling,
    XConv,
)

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_WEIGHTED = (*_CONVOLUTIONS, *_BATCH_NORMS, nn.Linear)


@dataclass(frozen=True)
class LayerSummary:
    """One layer of a network.

    Parameters
    ----------
    name : str
        Its path in the network, such as "block2.conv".
    kind : str
        Its class, such as "Conv2d".
    output_shape : tuple of int or None
        The shape of its output for one trial; None if it is not called as a layer.
    parameters : int
        Number of its weights and biases, those of the layers inside it not included. A weight that
        several layers share counts for the first.
    multiply_adds : int or None
        Number of multiplications, each with one addition, for one trial. None if the layer has
        parameters and there is no rule to count its arithmetic.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...] | None
    parameters: int
    multiply_adds: int | None


@dataclass(frozen=True)
class NetworkSummary:
    """The layers of a network, as `summary` returns them.

    It prints as a table, and as an HTML table in a notebook.

    Parameters
    ----------
    name : str
        The network's class.
    input_shape : tuple of int
        The shape of one trial.
    layers : tuple of LayerSummary
        The layers in the order in which they are called; those never called come last.
    """

    name: str
    input_shape: tuple[int, ...]
    layers: tuple[LayerSummary, ...]

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases in the network."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def n_multiply_adds(self) -> int:
        """Number of multiply-adds for one trial, in the layers that have a rule for it."""
        return sum(layer.multiply_adds or 0 for layer in self.layers)

    @property
    def uncounted(self) -> tuple[str, ...]:
        """The names of the layers whose arithmetic is missing from `n_multiply_adds`."""
        return tuple(layer.name for layer in self.layers if layer.multiply_adds is None)

    @property
    def table(self) -> pd.DataFrame:
        """A row per layer, with the columns of `LayerSummary`; unknown multiply-adds are NA."""
        columns = [column.name for column in fields(LayerSummary)]
        frame = pd.DataFrame([asdict(layer) for layer in self.layers], columns=columns)
        return frame.astype({"parameters": "int64", "multiply_adds": "Int64"})

    def __str__(self) -> str:
        return "\n".join([self._heading(), self._formatted().to_string(index=False)])

    def _repr_html_(self) -> str:
        table = self._formatted().to_html(index=False, border=0)
        return f"<p>{html.escape(self._heading())}</p>\n{table}"

    def _heading(self) -> str:
        total = (
            f"{self.name}, input {_format_shape(self.input_shape)}: "
            f"{self.n_parameters:,} parameters, {self.n_multiply_adds:,} multiply-adds per trial"
        )
        if not self.uncounted:
            return total
        return f"{total}, without those of {', '.join(self.uncounted)}"

    def _formatted(self) -> pd.DataFrame:
        """Return the table with its numbers as formatted text."""
        return pd.DataFrame(
            {
                "layer": layer.name,
                "kind": layer.kind,
                "output": _format_shape(layer.output_shape),
                "parameters": f"{layer.parameters:,}",
                "multiply-adds": _format_count(layer.multiply_adds),
            }
            for layer in self.layers
        )


def summary(
    network_or_estimator: object, input_shape: Sequence[int] | None = None
) -> NetworkSummary:
    """Return the table of a network's layers: outputs, parameters and multiply-adds per trial.

    A copy of the network is run once in evaluation mode on zeros. The network itself keeps its mode
    and its hooks, and torch's random generators stay where they are.

    Parameters
    ----------
    network_or_estimator : torch.nn.Module or fitted estimator
        A network, or an object that has one as `module_` after `fit`.
    input_shape : sequence of int, optional
        The shape of one trial, without the batch. None takes (n_chans, n_times), or (n_bands,
        height, width), from the network.

    Returns
    -------
    NetworkSummary
        Its `table` is a `pandas.DataFrame`, its totals are `n_parameters` and `n_multiply_adds`.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator has no network yet.
    TypeError
        If the object is neither a network nor an estimator.
    ValueError
        If `input_shape` is missing and the network does not store it, or if it is not a shape.

    Notes
    -----
    Counted are the multiply-adds of layers with weights. For an output of n values per trial:

    * a convolution takes n times the number of its inputs to one value, the kernel's length times
      the input maps of one group; zeros of the padding count as any other input;
    * a dense layer takes n times its number of inputs;
    * a recurrent layer takes, at each step, as many as it has weights between its units and from
      its input, biases not counted;
    * a batch normalisation takes n, one scale and one shift, as in evaluation, and so does a
      trainable subsampling;
    * a distance to fixed codes takes n times their length;
    * a bias takes nothing, since a sum can start from it;
    * a layer without parameters, such as an activation or a pool, takes nothing.

    Parameters count whether or not they are frozen.

    Examples
    --------
    A 3 x 3 convolution takes three maps of 5 x 5 to four maps of 3 x 3:

    >>> full = summary(nn.Conv2d(3, 4, 3), input_shape=(3, 5, 5))
    >>> full.n_parameters, full.n_multiply_adds
    (112, 972)

    A separable one filters each map by itself, then mixes the maps at each position:

    >>> separable = nn.Sequential(nn.Conv2d(3, 3, 3, groups=3), nn.Conv2d(3, 4, 1))
    >>> print(summary(separable, input_shape=(3, 5, 5)))
    Sequential, input 3 x 5 x 5: 46 parameters, 351 multiply-adds per trial
    layer   kind    output parameters multiply-adds
        0 Conv2d 3 x 3 x 3         30           243
        1 Conv2d 4 x 3 x 3         16           108

    EEGNet leaves the biases out, which makes it 27 and 12 parameters rather than 108:

    >>> [
    ...     summary(layer, input_shape=(3, 5, 5)).n_parameters
    ...     for layer in (
    ...         nn.Conv2d(3, 4, 3, bias=False),
    ...         nn.Conv2d(3, 3, 3, groups=3, bias=False),
    ...         nn.Conv2d(3, 4, 1, bias=False),
    ...     )
    ... ]
    [108, 27, 12]
    """
    network = _find_network(network_or_estimator)
    shape = _find_input_shape(network, input_shape)
    return NetworkSummary(type(network).__name__, shape, tuple(_describe(network, shape)))


def _find_network(candidate: object) -> nn.Module:
    """Return the network that `candidate` is or holds."""
    network = getattr(candidate, "module_", candidate)
    if isinstance(network, nn.Module):
        return network
    kind = type(candidate).__name__
    if hasattr(candidate, "fit"):
        raise NotFittedError(
            f"This {kind} has no network (module_) yet. Call fit first; of a pipeline, pass the "
            "last step, pipeline[-1]."
        )
    raise TypeError(f"summary needs a torch network or a fitted estimator; got {kind}.")


def _find_input_shape(network: nn.Module, input_shape: Sequence[int] | None) -> tuple[int, ...]:
    """Return the shape of one trial, as given or as the network stores it."""
    if input_shape is None:
        sizes: Sequence[object] = _stored_shape(network)
    elif isinstance(input_shape, Sequence) and not isinstance(input_shape, str):
        sizes = input_shape
    else:
        raise ValueError(f"input_shape must be a sequence of integers; got {input_shape!r}.")
    return tuple(
        check_positive_ints(**{f"input_shape[{axis}]": size for axis, size in enumerate(sizes)})
    )


def _stored_shape(network: nn.Module) -> list[object]:
    """Return the sizes of a trial that the network was built for."""
    for axes in (SIGNALS, MAPS, POINTS):
        sizes: list[object] = [getattr(network, name, None) for name in axes.names]
        if None not in sizes:
            return sizes
    raise ValueError(
        f"{type(network).__name__} has no n_chans and n_times, which give the shape of its input; "
        "pass input_shape, the shape of one trial without the batch."
    )


def _describe(network: nn.Module, input_shape: tuple[int, ...]) -> list[LayerSummary]:
    """Return the layers in the order of their calls on zeros, then those that are not called."""
    copied = copy.deepcopy(network).eval()
    for part in copied.modules():
        if isinstance(part, MixedDepthwiseConv | TemporalSpatialFilter):
            part.method = "direct"  # the layers as written, each of which can be watched
    names: dict[nn.Module, str] = {}
    for name, layer in _walk(copied):
        names.setdefault(layer, name)
    shapes, multiply_adds = _trace(copied, list(names), input_shape)

    rows = {}
    counted: set[nn.Parameter] = set()
    for layer, name in names.items():
        own = set(layer.parameters(recurse=_is_whole(layer))) - counted
        counted |= own
        rows[layer] = LayerSummary(
            name=name,
            kind=type(layer).__name__,
            output_shape=shapes.get(layer),
            parameters=sum(parameter.numel() for parameter in own),
            # Weights of a layer that is never called may be used from outside it.
            multiply_adds=multiply_adds.get(layer, None if own else 0),
        )
    return [rows.pop(layer) for layer in shapes] + list(rows.values())


def _trace(
    network: nn.Module, layers: Sequence[nn.Module], input_shape: tuple[int, ...]
) -> tuple[dict[nn.Module, tuple[int, ...]], dict[nn.Module, int | None]]:
    """Return each called layer's output shape and multiply-adds, in the order of first calls."""
    shapes: dict[nn.Module, tuple[int, ...]] = {}
    multiply_adds: dict[nn.Module, int | None] = {}

    def record(layer: nn.Module, args: object, output: Any) -> None:
        result = _first_tensor(output)
        count, so_far = _count_multiply_adds(layer, result), multiply_adds.get(layer, 0)
        shapes[layer] = tuple(result.shape[1:])
        multiply_adds[layer] = None if count is None or so_far is None else so_far + count

    for layer in layers:
        layer.register_forward_hook(record)
    weight = next(network.parameters(), torch.empty(0))
    devices = [weight.device] if weight.is_cuda else []
    with torch.no_grad(), torch.random.fork_rng(devices):
        network(torch.zeros(1, *input_shape, dtype=weight.dtype, device=weight.device))
    return shapes, multiply_adds


def _walk(module: nn.Module, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Yield the layers worth a row: whole ones, and those with parameters of their own."""
    if _is_whole(module) or next(module.parameters(recurse=False), None) is not None:
        yield name or type(module).__name__, module
    if not _is_whole(module):
        for child_name, child in module.named_children():
            yield from _walk(child, f"{name}.{child_name}" if name else child_name)


def _is_whole(module: nn.Module) -> bool:
    """Tell whether a module is one layer, whatever it contains, as a parametrised one does."""
    return isinstance(module, _WEIGHTED) or next(module.children(), None) is None


def _count_multiply_adds(layer: nn.Module, output: Tensor) -> int | None:
    """Return the multiply-adds for the output of a batch of one, None without a rule."""
    if isinstance(layer, _CONVOLUTIONS):
        return output.numel() * layer.weight[0].numel()
    if isinstance(layer, nn.Linear):
        return output.numel() * layer.in_features
    if isinstance(layer, XConv):  # its kernel depends on the electrodes, not on the trial
        return output.numel() * layer.n_neighbors * layer.n_in
    if isinstance(layer, PartialConv2d):
        return output[0, 0].numel() * layer.weight.numel()
    if isinstance(layer, nn.RNNBase):
        weights = [p for name, p in layer.named_parameters() if name.startswith("weight")]
        return output[..., 0].numel() * sum(weight.numel() for weight in weights)
    if isinstance(layer, RadialBasis):
        return output.numel() * layer.codes.shape[1]
    if isinstance(layer, (*_BATCH_NORMS, TrainableSubsampling)):
        return output.numel()
    return 0 if next(layer.parameters(recurse=False), None) is None else None


def _first_tensor(output: Any) -> Tensor:
    """Return a layer's output, the first where there are several, as from a recurrent layer."""
    while not isinstance(output, Tensor):
        output = next(iter(output))
    return output


def _format_shape(shape: tuple[int, ...] | None) -> str:
    return "not called" if shape is None else " x ".join(map(str, shape))


def _format_count(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,}"
