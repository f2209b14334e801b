"""Temporal filters followed by spatial filters, without the maps between them.

EEGNet, MSFBCNN, ShallowConvNet and DeepConvNet begin with temporal filters followed by spatial
filters, with at most a batch normalisation between. As written, these layers compute (filters x
electrodes x time) values for each trial, which takes most of the time of the network. They are
linear, so that the same function can be computed without these values: temporal and spatial filters
commute, and the batch statistics of the maps between them follow from the input.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .._checks import check_choice, check_flag, check_positive_ints
from ._batch_norm import gain_and_constant, is_plain, is_watched, track_statistics
from ._correlation import (
    channels_last,
    convolve,
    correlate_all,
    correlate_each,
    correlate_each_by_spectrum,
)
from ._lag_statistics import lag_statistics, lag_sums, statistics_of_sums
from ._length import same_padding
from ._stacking import in_channels_last

METHODS = ("auto", "direct", "spectral", "merged")
PADDINGS = ("same", "symmetric", "valid")

#: Shortest kernel for which a depthwise correlation is faster by spectra than in time.
_SPECTRAL_FROM = 160

#: Number of multiplications with the merged kernel that take as long as the transforms of one
#: sample of an input, an output or a kernel; measured in training.
_SPECTRAL_OVERHEAD = 150

#: Largest number of electrodes for which depthwise filters train faster as one kernel per output.
FEW_CHANS = 2

_NO_STATISTICS = "norm must track its running statistics; got track_running_stats=False."


class TemporalSpatialFilter(nn.Module):
    """Temporal filters, optional batch normalisation, and spatial filters over electrodes.

    The function is that of these layers in sequence::

        temporal   F kernels of shape (1, K), the same for every electrode    F, C, T'
        norm       batch normalisation of the F maps, optional                F, C, T'
        attention  gates of electrodes or maps, optional                      F, C, T'
        spatial    O kernels of shape (C, 1), of one map each or of all       O, 1, T'

    `method` selects how it is computed. All methods have the same parameters, buffers and
    ``state_dict``, and agree up to rounding in outputs, gradients and running statistics.

    Parameters
    ----------
    n_chans : int
        Number of electrodes, C.
    n_temporal_filters : int
        Number of temporal filters, F; with several kernel lengths, of each length.
    kernel_length : int or sequence of int
        Length of the temporal filters in samples, K. Several lengths define parallel banks, whose
        maps are concatenated in that order.
    n_spatial_filters : int
        Number of outputs, O; a multiple of F where `depthwise`.
    depthwise : bool, default=False
        Whether each spatial filter applies to the map of one temporal filter, as in EEGNet, instead
        of to all maps.
    padding : {"same", "symmetric", "valid"}, default="same"
        ``"same"`` keeps the number of samples; an even kernel covers K/2 - 1 samples before and K/2
        after the current one, as in Keras. ``"symmetric"`` pads K // 2 on both sides, which adds
        a sample if K is even. ``"valid"`` does not pad. Several kernel lengths need ``"same"``, or
        odd lengths and ``"symmetric"``.
    norm : torch.nn.BatchNorm2d, optional
        Normalisation of all temporal maps, with running statistics.
    temporal_bias, spatial_bias : bool, default=False
        Whether the layers add a constant to each of their maps.
    method : {"auto", "direct", "spectral", "merged"}, default="auto"
        ``"direct"`` computes the layers as written, with F C T' values between them. ``"merged"``
        filters in time without these values: if depthwise, the electrodes are mixed first and each
        mixture is filtered; otherwise, temporal and spatial filters are multiplied into one kernel
        for each output and electrode. ``"spectral"`` does the same with products of spectra, for
        long kernels. Both compute batch statistics from the input. ``"auto"`` selects the method
        that is expected to be the fastest for the shape. It is an attribute, and may be changed at
        any time.
    attention : torch.nn.Module, optional
        A layer on (batch, F, C, T') that keeps the shape, such as an `Attention` of
        `skeeg.layers`. It is not linear in its input, so that only ``"direct"`` can compute it,
        which ``"auto"`` then selects.

    Raises
    ------
    ValueError
        If an argument has a value that it cannot take, several kernel lengths result in maps of
        different lengths, or `method` cannot compute `attention`.

    Notes
    -----
    With x the trials, w_f the temporal and v_of the spatial filters, `*` the correlation along
    time, and a_f and b_f the factor and the constant of batch normalisation, the output o is::

        sum_f sum_c v_ofc (a_f (w_f * x_c) + b_f)
            = sum_f (a_f w_f) * (sum_c v_ofc x_c) + sum_f b_f sum_c v_ofc

    In training, a_f and b_f depend on the mean and the variance of w_f * x_c over batch, electrodes
    and time, which are w_f'm and w_f'Gw_f with the mean m and the covariance G of the samples under
    the taps of the kernel. In evaluation they depend on the running statistics. The page on the
    fast front end in the user guide has the derivation and measurements.

    Examples
    --------
    >>> import torch
    >>> filters = TemporalSpatialFilter(22, 8, 64, 16, depthwise=True, norm=nn.BatchNorm2d(8))
    >>> filters(torch.randn(5, 22, 256)).shape
    torch.Size([5, 16, 1, 256])
    """

    def __init__(
        self,
        n_chans: int,
        n_temporal_filters: int,
        kernel_length: int | Sequence[int],
        n_spatial_filters: int,
        *,
        depthwise: bool = False,
        padding: str = "same",
        norm: nn.BatchNorm2d | None = None,
        temporal_bias: bool = False,
        spatial_bias: bool = False,
        method: str = "auto",
        attention: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.n_chans, n_temporal, n_spatial = check_positive_ints(
            n_chans=n_chans,
            n_temporal_filters=n_temporal_filters,
            n_spatial_filters=n_spatial_filters,
        )
        several = isinstance(kernel_length, Sequence)
        lengths = [
            check_positive_ints(kernel_length=length)[0]
            for length in (
                kernel_length if isinstance(kernel_length, Sequence) else [kernel_length]
            )
        ]
        n_maps = n_temporal * len(lengths)
        self.padding = check_choice("padding", padding, PADDINGS)
        self.depthwise = check_flag("depthwise", depthwise)
        self.method = method
        self._paddings = [_zeros(self.padding, length) for length in lengths]
        _check_agreement(lengths, self._paddings, self.padding)
        if self.depthwise and n_spatial % n_maps:
            raise ValueError(
                f"n_spatial_filters must be a multiple of the {n_maps} temporal maps where "
                f"depthwise=True; got {n_spatial}."
            )
        if norm is not None:
            _check_norm(norm, n_maps)

        bias = check_flag("temporal_bias", temporal_bias)
        banks = [nn.Conv2d(1, n_temporal, (1, length), bias=bias) for length in lengths]
        self.temporal = nn.ModuleList(banks) if several else banks[0]
        self.norm = norm
        self.attention = attention
        self._check_method()
        self.spatial = nn.Conv2d(
            n_maps,
            n_spatial,
            (self.n_chans, 1),
            groups=n_maps if self.depthwise else 1,
            bias=check_flag("spatial_bias", spatial_bias),
        )

    @property
    def banks(self) -> list[nn.Conv2d]:
        """The convolutions with the temporal filters, one for each kernel length."""
        several = isinstance(self.temporal, nn.ModuleList)
        found = self.temporal.children() if several else [self.temporal]
        return [bank for bank in found if isinstance(bank, nn.Conv2d)]

    @property
    def _length(self) -> int:
        """Number of samples that all kernels together cover when they are aligned."""
        (before, after), (left, right) = self.time_padding, self._paddings[0]
        return self.banks[0].kernel_size[1] + before - left + after - right

    @property
    def time_padding(self) -> tuple[int, int]:
        """Zeros before and after a signal, for the longest kernel."""
        return max(before for before, _ in self._paddings), max(
            after for _, after in self._paddings
        )

    def precompute_trials(self, x: Tensor) -> dict[str, Tensor]:
        """Return sums over each trial that training needs, and that are the same in every epoch.

        Parameters
        ----------
        x : Tensor, shape (batch, n_chans, n_times)

        Returns
        -------
        dict of str to Tensor
            Arguments of `forward`, each with a row per trial; empty if there is nothing to
            precompute.
        """
        if self.norm is None or self._chosen(x.shape[0]) == "direct":
            return {}
        return {"lag_sums": lag_sums(x, self._length, self.time_padding)}

    def forward(self, x: Tensor, lag_sums: Tensor | None = None) -> Tensor:
        """Return the filtered trials.

        Parameters
        ----------
        x : Tensor, shape (batch, n_chans, n_times)
        lag_sums : Tensor, optional
            Those of `x`, from `precompute_trials`. By default, training computes them.

        Returns
        -------
        Tensor, shape (batch, n_spatial_filters, 1, n_outputs)
            The number of samples depends on `padding`.
        """
        method = self._chosen(x.shape[0])
        if method == "direct":
            return self._direct(x)
        return self._without_maps(x, lag_sums, method)

    def normalised(self, x: Tensor, norm: nn.BatchNorm2d, lag_sums: Tensor | None = None) -> Tensor:
        """Return ``norm(self(x, lag_sums))``; in evaluation, `norm` is merged into the filters.

        This saves a pass over the outputs.

        Parameters
        ----------
        x : Tensor, shape (batch, n_chans, n_times)
        norm : torch.nn.BatchNorm2d
            Normalisation of the outputs, with a map for each spatial filter.
        lag_sums : Tensor, optional
            As in `forward`.

        Returns
        -------
        Tensor, shape (batch, n_spatial_filters, 1, n_outputs)
        """
        method = self._chosen(x.shape[0])
        fixed = is_plain(norm) and not norm.training and norm.running_mean is not None
        if method == "direct" or not fixed or is_watched(self):
            outputs: Tensor = norm(self(x, lag_sums))
            return outputs
        return self._without_maps(x, lag_sums, method, norm)

    @torch.no_grad()
    def map_statistics(self, x: Tensor) -> tuple[Tensor, Tensor, int]:
        """Return the statistics of the temporal maps over a batch, which `norm` normalises.

        Parameters
        ----------
        x : Tensor, shape (batch, n_chans, n_times)

        Returns
        -------
        mean, variance : Tensor of float64, shape (n_maps,)
            The variance is the biased one.
        count : int
            Number of values of each map.
        """
        mean, variance, count = self._moments(x, None, self._aligned_filters())
        biases = [bank.bias for bank in self.banks if bank.bias is not None]
        return mean + torch.cat(biases).double() if biases else mean, variance, count

    def extra_repr(self) -> str:
        """Return the settings, for the layer's printed form."""
        return f"padding={self.padding!r}, depthwise={self.depthwise}, method={self.method!r}"

    # ------------------------------------------------------------------ methods

    def _without_maps(
        self, x: Tensor, lag_sums: Tensor | None, method: str, last: nn.BatchNorm2d | None = None
    ) -> Tensor:
        """Filter, and normalise the outputs as `last` does in evaluation."""
        filters, constants = self._normalised_filters(x, lag_sums)
        weights = self.spatial.weight[..., 0]  # O, F, C; O, 1, C if depthwise
        if self.depthwise:
            weights = weights[:, 0]  # O, C
            multiplier = len(weights) // len(filters)
            filters = filters.repeat_interleave(multiplier, dim=0)  # O, K
            constant = constants.repeat_interleave(multiplier) * weights.sum(dim=1)
        else:
            constant = weights.sum(dim=2) @ constants
        if self.spatial.bias is not None:
            constant = constant + self.spatial.bias
        if last is not None and last.running_mean is not None and last.running_var is not None:
            gain, constant = gain_and_constant(last, constant - last.running_mean, last.running_var)
            weights = weights * gain.reshape(-1, *[1] * (weights.ndim - 1))
        if not self.depthwise:
            kernels = torch.einsum("ofc,fk->ock", weights, filters)
        elif method == "merged" and self.n_chans <= FEW_CHANS and torch.is_grad_enabled():
            kernels = weights[:, :, None] * filters[:, None]
        else:
            return self._mixed_first(x, weights, filters, constant, method)
        return self._as_one_kernel(x, kernels, constant, method)

    def _check_method(self) -> str:
        method = check_choice("method", self.method, METHODS)
        if self.attention is None:
            return method
        if method not in ("auto", "direct"):
            raise ValueError(
                f'method must be "auto" or "direct" where there is attention; got {method!r}. '
                "Attention needs the maps, which the other methods do not compute."
            )
        return "direct"

    def _chosen(self, batch: int) -> str:
        method = self._check_method()
        if method != "auto":
            return method
        n_maps, n_out = self.spatial.in_channels, self.spatial.out_channels
        if self.depthwise:
            if self.n_chans < n_out // n_maps:  # mixing would increase the number of signals
                return "direct"
            return "spectral" if self._length >= _SPECTRAL_FROM else "merged"
        pairs = self.n_chans * n_out
        transformed = batch * (self.n_chans + n_out) + pairs
        pays = batch * self._length * pairs > _SPECTRAL_OVERHEAD * transformed
        return "spectral" if pays else "merged"

    def _direct(self, x: Tensor) -> Tensor:
        x = x.unsqueeze(1)
        maps = [
            bank(F.pad(x, padding))
            for bank, padding in zip(self.banks, self._paddings, strict=True)
        ]
        x = torch.cat(maps, dim=1) if len(maps) > 1 else maps[0]
        x = x if self.norm is None else self.norm(x)
        x = x if self.attention is None else self.attention(x)
        result: Tensor = self.spatial(x)
        return result

    def _mixed_first(
        self, x: Tensor, weights: Tensor, kernels: Tensor, constant: Tensor, method: str
    ) -> Tensor:
        """Mix electrodes with weights (O, C), and filter each mixture with its kernel (O, K)."""
        mixtures = torch.bmm(x.transpose(1, 2), weights.T.expand(x.shape[0], -1, -1))  # batch, T, O
        correlate = correlate_each if method == "merged" else correlate_each_by_spectrum
        filtered = correlate(mixtures.transpose(1, 2), kernels, self.time_padding, constant)
        return filtered.unsqueeze(2)

    def _as_one_kernel(self, x: Tensor, kernels: Tensor, constant: Tensor, method: str) -> Tensor:
        """Filter with kernels (O, C, K), and sum over electrodes."""
        if method == "merged":
            # oneDNN is fastest in the channels-last format.
            x = F.pad(channels_last(x), self.time_padding)
            kernels = in_channels_last(kernels.unsqueeze(2))
            return convolve(x, kernels, constant)
        return (correlate_all(x, kernels, self.time_padding) + constant[:, None]).unsqueeze(2)

    # ------------------------------------------------------------------ normalisation

    def _normalised_filters(self, x: Tensor, sums: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return temporal filters (F, K) and constants (F,), with the normalisation merged in."""
        filters = self._aligned_filters()
        biases = [bank.bias for bank in self.banks if bank.bias is not None]
        constants = torch.cat(biases) if biases else filters.new_zeros(len(filters))
        if self.norm is None:
            return filters, constants
        mean, variance = self._statistics(self.norm, x, sums, filters, constants)
        gain, constants = gain_and_constant(self.norm, constants - mean, variance)
        return filters * gain[:, None], constants

    def _aligned_filters(self) -> Tensor:
        """Return all temporal filters, aligned and with shorter ones padded with zeros."""
        before, after = self.time_padding
        aligned = [
            F.pad(bank.weight[:, 0, 0], (before - left, after - right))
            for bank, (left, right) in zip(self.banks, self._paddings, strict=True)
        ]
        return torch.cat(aligned) if len(aligned) > 1 else aligned[0]

    def _statistics(
        self,
        norm: nn.BatchNorm2d,
        x: Tensor,
        sums: Tensor | None,
        filters: Tensor,
        constants: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Return the mean and the variance of each filter's output that `norm` uses.

        In training, the running statistics of `norm` are updated.
        """
        running_mean, running_var = norm.running_mean, norm.running_var
        if running_mean is None or running_var is None or norm.num_batches_tracked is None:
            raise ValueError(_NO_STATISTICS)
        if not norm.training:
            return running_mean, running_var
        mean, variance, count = self._moments(x, sums, filters)
        mean, variance = mean.to(filters.dtype) + constants, variance.to(filters.dtype)
        track_statistics(norm, mean, variance, count)
        return mean, variance

    def _moments(
        self, x: Tensor, sums: Tensor | None, filters: Tensor
    ) -> tuple[Tensor, Tensor, int]:
        """Return mean and variance of each filter's output, in float64, and how many it has."""
        length, padding = filters.shape[1], self.time_padding
        if sums is None:
            statistics = lag_statistics(x, length, padding)
        else:
            statistics = statistics_of_sums(sums, x.shape, length, padding)
        precise = filters.double()
        mean = precise @ statistics.mean
        variance = ((precise @ statistics.covariance) * precise).sum(dim=1).clamp_min(0)
        return mean, variance, statistics.count


def _zeros(padding: str, length: int) -> tuple[int, int]:
    """Return the zeros before and after a signal for a kernel of this length."""
    if padding == "same":
        return same_padding(length)
    return (length // 2, length // 2) if padding == "symmetric" else (0, 0)


def _check_agreement(lengths: list[int], paddings: list[tuple[int, int]], padding: str) -> None:
    if not lengths:
        raise ValueError(
            "kernel_length must be an integer or a sequence of at least one; got none."
        )
    longer = {sum(zeros) - length for zeros, length in zip(paddings, lengths, strict=True)}
    if len(longer) > 1:
        raise ValueError(
            f"Kernels of {lengths} samples with padding={padding!r} result in maps of different "
            'lengths, which cannot be concatenated. Use padding="same", or odd kernels with '
            '"symmetric".'
        )


def _check_norm(norm: nn.BatchNorm2d, n_maps: int) -> None:
    if norm.num_features != n_maps:
        raise ValueError(
            f"norm must have num_features={n_maps}, the number of temporal maps; got "
            f"{norm.num_features}."
        )
    if norm.running_mean is None:
        raise ValueError(_NO_STATISTICS)
