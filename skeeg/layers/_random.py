"""Random numbers of one thread, apart from torch's global generators.

torch has one generator per device in a process. Fits that run in several threads would take numbers
from each other's sequence, so that their results depended on timing. A `random_stream` gives the
thread that enters it generators of its own.

skeeg's layers pass `current_generator` to what they draw with. Other code that draws, such as the
initialisation of ``torch.nn`` modules or ``torch.nn.Dropout``, does so under `RandomFunctionsMode`.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from types import FunctionType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torch.overrides import TorchFunctionMode

#: The fixed point of SELU for dropped values, -scale * alpha, as torch rounds it.
_SELU_MINIMUM = -1.7580993408473766


class _Streams(threading.local):
    """The open streams of this thread, the innermost last."""

    def __init__(self) -> None:
        self.stack: list[Stream] = []


_STREAMS = _Streams()


#: A generator for each device.
Stream = dict[torch.device, Generator]


@contextmanager
def random_stream(seed: int, device: str | torch.device = "cpu") -> Iterator[None]:
    """Draw this thread's random numbers from generators of its own.

    Parameters
    ----------
    seed : int
        Seeds each generator. On a CPU, weights and masks are those that ``torch.manual_seed(seed)``
        gives.
    device : str or torch.device, default="cpu"
        A device to make a generator for, beside the one for the CPU.

    Notes
    -----
    Streams nest: the innermost one with a generator for a device is used, and when it ends, the
    outer one continues where it was. They hold for the thread that entered them only.
    """
    with inside_stream(make_stream(seed, device)):
        yield


def make_stream(seed: int, device: str | torch.device = "cpu") -> Stream:
    """Return generators for the CPU and a device, see `random_stream`."""
    devices = {_with_index(torch.device(each)) for each in ("cpu", device)}
    return {each: Generator(device=each).manual_seed(seed) for each in devices}


@contextmanager
def inside_stream(stream: Stream) -> Iterator[None]:
    """Draw this thread's random numbers from a stream, which can be left and entered again."""
    _STREAMS.stack.append(stream)
    try:
        yield
    finally:
        _STREAMS.stack.pop()


def current_generator(device: str | torch.device = "cpu") -> Generator | None:
    """Return the generator that this thread draws from on a device.

    Parameters
    ----------
    device : str or torch.device, default="cpu"
        Where the random numbers are wanted.

    Returns
    -------
    torch.Generator or None
        Of the innermost `random_stream` that has one for the device. None stands for torch's global
        generator, without a stream and in compiled code, which cannot use any other.
    """
    if torch.compiler.is_compiling() or not _STREAMS.stack:
        return None
    wanted = _with_index(torch.device(device))
    return next((s[wanted] for s in reversed(_STREAMS.stack) if wanted in s), None)


def stream_state() -> dict[str, bytes]:
    """Return the state of the generators of this thread's innermost `random_stream`.

    Returns
    -------
    state : dict of str to bytes
        By the name of the device.
    """
    return {
        str(device): bytes(generator.get_state().numpy())
        for device, generator in _STREAMS.stack[-1].items()
    }


def restore_stream(state: dict[str, bytes]) -> None:
    """Continue this thread's innermost `random_stream` from a state of `stream_state`.

    Parameters
    ----------
    state : dict of str to bytes
        Generators of devices that it does not have are left as they are.
    """
    for device, generator in _STREAMS.stack[-1].items():
        if str(device) in state:
            of_device = torch.frombuffer(bytearray(state[str(device)]), dtype=torch.uint8)
            generator.set_state(of_device)


def _with_index(device: torch.device) -> torch.device:
    """Return a device as the tensors on it name it: the CPU without an index, others with one."""
    if device.type == "cpu":
        return torch.device("cpu")
    if device.index is None:
        current = torch.cuda.current_device() if device.type == "cuda" else 0
        return torch.device(device.type, current)
    return device


def drop(
    input: Tensor,
    p: float,
    generator: Generator,
    *,
    in_place: bool = False,
    of_features: bool = False,
    is_alpha: bool = False,
) -> Tensor:
    """Apply dropout with a given generator, which torch's own functions do not take.

    Parameters
    ----------
    input : Tensor
        Of any shape; of at least two dimensions with `of_features`.
    p : float
        Probability with which a value is dropped, below 1.
    generator : torch.Generator
        On the device of `input`.
    in_place : bool, default=False
        Whether `input` itself is changed.
    of_features : bool, default=False
        Whether all values of a feature, the second axis, are dropped together.
    is_alpha : bool, default=False
        Whether values are dropped to the minimum of SELU, keeping mean and variance, instead of to
        zero.

    Returns
    -------
    Tensor, shape of `input`
    """
    if of_features:
        noise = input.new_empty(*input.shape[:2], *[1] * (input.ndim - 2))
    else:
        noise = torch.empty_like(input)
    noise.bernoulli_(1 - p, generator=generator)
    shift = None
    if is_alpha:
        gain = 1 / math.sqrt((_SELU_MINIMUM**2 * p + 1) * (1 - p))
        shift = noise.sub(1).mul_(-_SELU_MINIMUM * gain).add_(-_SELU_MINIMUM * gain * p)
        noise.mul_(gain)
    else:
        noise.div_(1 - p)
    dropped = input.mul_(noise) if in_place else input * noise
    if shift is None:
        return dropped
    return dropped.add_(shift) if in_place else dropped + shift


class RandomFunctionsMode(TorchFunctionMode):
    """While active, torch's random functions draw from the thread's `random_stream`.

    It is meant for code that cannot be given a generator: the constructors of modules, and the
    forward pass of modules from elsewhere. It covers the functions that draw tensors
    (``torch.rand``, ``torch.randperm``, ``torch.rand_like``, ``Tensor.normal_``, ...), and with
    them ``torch.nn.init`` and ``torch.distributions``, every kind of dropout, also inside recurrent
    layers and attention, and the other functions of ``torch.nn.functional`` that draw. Without a
    stream, it changes nothing.

    Notes
    -----
    On a CPU, everything that is drawn equals what torch draws after ``torch.manual_seed``, except
    for the dropout between recurrent layers of ``batch_first``. Not covered are ``torch.jit``
    scripts and compiled code, whose operations torch does not report, and modules that seed torch
    themselves.

    While the mode is active, every call of a torch function and every access to an attribute of a
    tensor takes about a microsecond longer. In a training step on 16 trials of 22 electrodes and
    256 samples, that is 1% for an EEGNet of ``torch.nn`` layers and 13% for `EEGNet` of skeeg,
    whose layers take the generator from the stream and need the mode while they are built only.

    Examples
    --------
    >>> import torch
    >>> def build():
    ...     with random_stream(0), RandomFunctionsMode():
    ...         return torch.nn.Linear(3, 2)
    >>> torch.equal(build().weight, build().weight)
    True
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call a function of torch, or what draws the same from the stream."""
        redirect = _REDIRECTED.get(func)
        if redirect is None or torch.compiler.is_compiling():
            return func(*args, **kwargs or {})
        return redirect(func, *args, **kwargs or {})


def _compose(func: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a function written in Python with the mode active in its body too."""
    with RandomFunctionsMode():
        return _body(func)(*args, **kwargs)


@cache
def _body(func: FunctionType) -> FunctionType:
    """Return a function of ``torch.nn.functional`` that does not report its own call to a mode.

    torch turns a mode off while the mode handles a call. Turned on again for the body, it would be
    given the same call by the original, without end.
    """
    unreported = {
        name: lambda *args: False
        for name in func.__globals__
        if name.startswith("has_torch_function")
    }
    body = FunctionType(
        func.__code__,
        {**func.__globals__, **unreported},
        func.__name__,
        func.__defaults__,
        func.__closure__,
    )
    body.__kwdefaults__ = func.__kwdefaults__
    return body


def _draw(func: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a function that takes a generator with the stream's, unless it was given one."""
    given = kwargs.get("generator") or any(isinstance(value, Generator) for value in args)
    if not given:
        generator = current_generator(_device_of(*args, **kwargs))
        if generator is not None:
            kwargs["generator"] = generator
    return func(*args, **kwargs)


def _device_of(*args: Any, **kwargs: Any) -> torch.device:
    """Return the device on which a function with these arguments draws."""
    if kwargs.get("device") is not None:
        return torch.device(kwargs["device"])
    for value in (*args, *kwargs.values()):
        if isinstance(value, Tensor):
            return value.device
    return torch.get_default_device()


def _draw_like(draw: Callable[..., Tensor], func: Any, input: Tensor, **kwargs: Any) -> Tensor:
    """Fill a tensor like another one: ``torch.rand_like`` has no generator before torch 2.13."""
    generator = kwargs.pop("generator", None) or current_generator(_device_of(input, **kwargs))
    if generator is None:
        return func(input, **kwargs)
    needs_gradient = kwargs.pop("requires_grad", False)
    drawn = draw(torch.empty_like(input, **kwargs), generator=generator)
    return drawn.requires_grad_(needs_gradient)


def _draw_integers_like(func: Any, input: Tensor, *bounds: int, **kwargs: Any) -> Tensor:
    """Do so for ``torch.randint_like``, of an upper bound or both, by position or keyword."""
    given = [*bounds, *(kwargs.pop(name) for name in ("low", "high") if name in kwargs)]
    low, high = (0, *given)[-2:]

    def draw(drawn: Tensor, generator: Generator) -> Tensor:
        return drawn.random_(int(low), int(high), generator=generator)

    return _draw_like(draw, partial(func, low=low, high=high), input, **kwargs)


def _drop(func: Any, input: Tensor, p: float, train: bool, **kind: bool) -> Tensor:
    generator = current_generator(input.device)
    if generator is None or not train or not 0 < p < 1 or not input.numel():
        return func(input, p, train)
    return drop(input, p, generator, **kind)


def _attend(
    func: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **options: Any,
) -> Tensor:
    """Scaled dot-product attention, written out where its weights are dropped."""
    generator = current_generator(query.device)
    if generator is None or not 0 < dropout_p < 1:
        return func(query, key, value, attn_mask, dropout_p, is_causal, **options)
    scale = options.get("scale")
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    if options.get("enable_gqa"):
        key, value = (
            each.repeat_interleave(query.shape[-3] // each.shape[-3], dim=-3)
            for each in (key, value)
        )
    scores = query @ key.mT * scale
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is None:
        weights = scores.softmax(-1)
    elif attn_mask.dtype == torch.bool:
        weights = scores.masked_fill(~attn_mask, -math.inf).softmax(-1)
        weights = weights.masked_fill(~attn_mask.any(-1, keepdim=True), 0)  # where all are masked
    else:
        weights = (scores + attn_mask).softmax(-1)
    return drop(weights, dropout_p, generator) @ value


def _recur(func: Any, input: Tensor, *args: Any) -> tuple[Tensor, ...]:
    """Run recurrent layers one by one where there is dropout between them.

    The arguments are those of ``torch.lstm`` and its like: for packed sequences ``input,
    batch_sizes, hx, weights, has_biases, n_layers, dropout, train, bidirectional``, for others
    without the sizes and with ``batch_first`` at the end.
    """
    n_sizes = 0 if isinstance(args[2], bool) else 1
    sizes, (hx, weights, *options) = args[:n_sizes], args[n_sizes:]
    has_biases, n_layers, p, train, bidirectional, *batch_first = options
    generator = current_generator(input.device)
    if generator is None or not train or not 0 < p < 1 or n_layers == 1:
        return func(input, *args)
    n_directions, n_weights = 1 + bidirectional, len(weights) // n_layers
    last = []
    for i in range(n_layers):
        own = [
            state[i * n_directions : (i + 1) * n_directions]
            for state in ([hx] if isinstance(hx, Tensor) else hx)
        ]
        input, *states = func(
            input if i == 0 else drop(input, p, generator),
            *sizes,
            own[0] if isinstance(hx, Tensor) else own,
            weights[i * n_weights : (i + 1) * n_weights],
            has_biases,
            1,
            0.0,
            train,
            bidirectional,
            *batch_first,
        )
        last.append(states)
    return (input, *(torch.cat(states) for states in zip(*last, strict=True)))


def _pool_at_random(n_axes: int, func: Any, input: Tensor, *args: Any, **kwargs: Any) -> Any:
    """Fractional max pooling, whose fields are drawn for each trial and map."""
    generator = current_generator(input.device)
    if generator is not None and kwargs.get("_random_samples") is None:
        shape = (1 if input.ndim == n_axes + 1 else len(input), input.shape[-n_axes - 1], n_axes)
        kwargs["_random_samples"] = torch.rand(
            shape, dtype=input.dtype, device=input.device, generator=generator
        )
    return func(input, *args, **kwargs)


def _named(owner: Any, names: Sequence[str]) -> list[Any]:
    return [getattr(owner, name) for name in names]


_WITH_GENERATOR = [
    *_named(torch, ["rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial"]),
    *_named(torch, ["poisson", "binomial", "rrelu", "rrelu_", "_standard_gamma"]),
    torch._sample_dirichlet,
    *_named(Tensor, ["uniform_", "normal_", "random_", "bernoulli", "bernoulli_", "multinomial"]),
    *_named(Tensor, ["exponential_", "log_normal_", "cauchy_", "geometric_"]),
    *_named(nn.init, ["uniform_", "normal_", "kaiming_uniform_"]),
]

#: Functions written in Python, whose bodies call other functions of the table below.
_COMPOSED = [
    F.dropout,
    F.dropout1d,
    F.dropout2d,
    F.dropout3d,
    F.alpha_dropout,
    F.feature_alpha_dropout,
    F.rrelu,
    F.gumbel_softmax,
    F.multi_head_attention_forward,
]

_REDIRECTED: dict[Any, Callable[..., Any]] = {
    **dict.fromkeys(_WITH_GENERATOR, _draw),
    **dict.fromkeys(_COMPOSED, _compose),
    torch.rand_like: partial(_draw_like, Tensor.uniform_),
    torch.randn_like: partial(_draw_like, Tensor.normal_),
    torch.randint_like: _draw_integers_like,
    torch.dropout: _drop,
    torch.dropout_: partial(_drop, in_place=True),
    torch.feature_dropout: partial(_drop, of_features=True),
    torch.feature_dropout_: partial(_drop, of_features=True, in_place=True),
    torch.alpha_dropout: partial(_drop, is_alpha=True),
    torch.alpha_dropout_: partial(_drop, is_alpha=True, in_place=True),
    torch.feature_alpha_dropout: partial(_drop, of_features=True, is_alpha=True),
    torch.feature_alpha_dropout_: partial(_drop, of_features=True, is_alpha=True, in_place=True),
    F.scaled_dot_product_attention: _attend,
    **dict.fromkeys(_named(torch, ["lstm", "gru", "rnn_tanh", "rnn_relu"]), _recur),
    F.fractional_max_pool2d: partial(_pool_at_random, 2),
    F.fractional_max_pool2d_with_indices: partial(_pool_at_random, 2),
    F.fractional_max_pool3d: partial(_pool_at_random, 3),
    F.fractional_max_pool3d_with_indices: partial(_pool_at_random, 3),
}
