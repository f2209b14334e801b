"""1DCNN-LSTM and 1DCNN-GRU (Zamani and Wulansari, 2021)."""

from __future__ import annotations

from collections import OrderedDict
from typing import ClassVar

from torch import Tensor, nn

from .._checks import check_choice, check_number, check_positive_ints
from .._parameters import parameter
from ..layers import (
    GRU,
    Dropout,
    make_activation,
)
from ..layers._activation_and_pool import activation_and_max_pool
from ..layers._length import clip_length, output_length
from ._base import ActivationParameters, SignalNetwork

_HEADS = ("last", "flatten")


class CNNRNNParameters(ActivationParameters):
    """Parameters of CNNLSTM and CNNGRU."""

    n_filters: int = parameter(default=128, doc="Number of maps after each convolution, F.")
    kernel_length: int = parameter(
        default=3, doc="Length of the kernels in samples, K; they are not padded."
    )
    pool_length: int = parameter(default=2, doc="Length and step of the pools in samples, P.")
    n_first_units: int = parameter(
        default=256, doc="Number of units of the first recurrent layer, U1."
    )
    n_second_units: int = parameter(
        default=32, doc="Number of units of the second recurrent layer, U2."
    )
    n_hidden: int = parameter(default=128, doc="Number of units before the last layer, D.")
    head: str = parameter(
        default="last",
        kind='{"last", "flatten"}',
        doc="""Whether the dense layers get the last step of the second recurrent layer, or all of
        its steps.""",
    )
    dropout: float = parameter(
        default=0.2,
        doc="Probability with which a value is dropped after each pool and recurrent layer.",
    )
    activation: str = parameter(
        default="relu",
        doc="""A name in `skeeg.layers.ACTIVATIONS`, for convolutions and dense layers; the
        recurrent layers keep their own functions.""",
    )


class _CNNRNN(CNNRNNParameters, SignalNetwork):
    """What the two networks share, all but the kind of recurrent layer."""

    recurrent: ClassVar[type[nn.LSTM | nn.GRU]]

    def build(self) -> None:
        """Check the hyper-parameters and make the layers."""
        f, k, pool, u1, u2, d = check_positive_ints(
            n_filters=self.n_filters,
            kernel_length=self.kernel_length,
            pool_length=self.pool_length,
            n_first_units=self.n_first_units,
            n_second_units=self.n_second_units,
            n_hidden=self.n_hidden,
        )
        p = check_number("dropout", self.dropout, at_least=0, below=1)
        check_choice("head", self.head, _HEADS)
        (k1, k2), (pool1, pool2), t2 = _clip_blocks(type(self).__name__, self.n_times, k, pool)
        n_steps = t2 if self.head == "flatten" else 1

        def block(n_in: int, kernel_length: int, pool_length: int) -> nn.Sequential:
            return nn.Sequential(
                OrderedDict(
                    conv=nn.Conv1d(n_in, f, kernel_length),
                    **activation_and_max_pool(
                        nn.MaxPool1d(pool_length), self.activation, self.alpha
                    ),
                    dropout=Dropout(p),
                )
            )

        self.block1 = block(self.n_chans, k1, pool1)  # F, T1
        self.block2 = block(f, k2, pool2)  # F, T2
        self.first_recurrent = self.recurrent(f, u1, batch_first=True)  # T2, U1
        self.first_dropout = Dropout(p)  # T2, U1
        self.second_recurrent = self.recurrent(u1, u2, batch_first=True)  # T2, U2
        self.second_dropout = Dropout(p)  # U2 or T2 U2
        self.hidden = nn.Sequential(
            OrderedDict(
                dense=nn.Linear(n_steps * u2, d),
                activation=make_activation(self.activation, self.alpha),
            )
        )  # D
        self.dense = nn.Linear(d, self.n_outputs)  # N

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits, (batch, n_outputs), of trials of shape (batch, n_chans, n_times)."""
        x = self.block2(self.block1(x)).transpose(1, 2)
        x, _ = self.first_recurrent(x)
        x, _ = self.second_recurrent(self.first_dropout(x))
        x = x[:, -1] if self.head == "last" else x.flatten(1)
        logits: Tensor = self.dense(self.hidden(self.second_dropout(x)))
        return logits


class CNNLSTM(_CNNRNN):
    """Two convolutions over time, then two LSTM layers [1]_.

    =======================  ============================================  ========
    layer                    what it does                                  output
    =======================  ============================================  ========
    block1                   F kernels of K samples and all electrodes,    F, T1
                             activation, max pool of P, dropout
    block2                   F kernels of K samples and all maps,          F, T2
                             activation, max pool of P, dropout
    first_recurrent          LSTM of U1 units, dropout                     T2, U1
    second_recurrent         LSTM of U2 units; its last step, dropout      U2
    hidden                   dense, activation                             D
    dense                    one logit per class                           N
    =======================  ============================================  ========

    with T1 = (T - K + 1) // P and T2 = (T1 - K + 1) // P. One step of the LSTM is four samples, so
    that ten seconds at 128 Hz are 318 steps.

    Raises
    ------
    ValueError
        If a parameter has a value that it cannot take.

    Warns
    -----
    UserWarning
        If a kernel or a pool is longer than its input and was clipped.

    Notes
    -----
    Only the abstract of the paper was available. The layers are those of an independent
    re-implementation, which takes the last step; a survey of such networks has a flattening layer
    there. Logits come out, where both end in a softmax, and weights start as torch draws them. It
    has 498,820 parameters for 32 electrodes and four classes with the last step, for trials of any
    length; Keras counts 1,152 less, since its LSTM has one vector of biases where torch has two.

    References
    ----------
    .. [1] F. Zamani, R. Wulansari, "Emotion classification using 1D-CNN and RNN based on DEAP
       dataset", CS & IT 11(23), 2021.

    Examples
    --------
    >>> import torch
    >>> network = CNNLSTM(n_chans=32, n_times=128, n_outputs=4)
    >>> sum(parameter.numel() for parameter in network.parameters())
    498820
    >>> network(torch.zeros(5, 32, 128)).shape
    torch.Size([5, 4])
    """

    recurrent = nn.LSTM


class CNNGRU(_CNNRNN):
    """Two convolutions over time, then two GRU layers [1]_.

    The layers are those of `CNNLSTM`, with gated recurrent units in place of LSTM.

    Raises
    ------
    ValueError
        If a parameter has a value that it cannot take.

    Warns
    -----
    UserWarning
        If a kernel or a pool is longer than its input and was clipped.

    Notes
    -----
    See `CNNLSTM`. It has 390,724 parameters for 32 electrodes and four classes with the last step.

    References
    ----------
    .. [1] F. Zamani, R. Wulansari, "Emotion classification using 1D-CNN and RNN based on DEAP
       dataset", CS & IT 11(23), 2021.

    Examples
    --------
    >>> import torch
    >>> network = CNNGRU(n_chans=32, n_times=128, n_outputs=4)
    >>> sum(parameter.numel() for parameter in network.parameters())
    390724
    >>> network(torch.zeros(5, 32, 128)).shape
    torch.Size([5, 4])
    """

    recurrent = GRU


def _clip_blocks(
    network: str, n_times: int, kernel_length: int, pool_length: int
) -> tuple[list[int], list[int], int]:
    """Return the kernel and pool lengths of both blocks, and what is left of the time."""
    kernels, pools = [], []
    for block in ("block1", "block2"):
        name = f"{network}.{block}"
        kernels.append(clip_length(kernel_length, n_times, f"{name}.conv"))
        n_times = output_length(n_times, kernels[-1])
        pools.append(clip_length(pool_length, n_times, f"{name}.pool"))
        n_times = output_length(n_times, pools[-1], stride=pools[-1])
    return kernels, pools, n_times
