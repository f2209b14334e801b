"""Attention layers by name."""

from __future__ import annotations

from torch import nn

from .._checks import check_choice, check_positive_ints
from .attention import ATTENTION_AXES, CBAM, ECA, Attention, SqueezeExcitation

ATTENTIONS: dict[str, type[Attention]] = {"se": SqueezeExcitation, "cbam": CBAM, "eca": ECA}

#: The reduction in the networks, as in the comparison of Wimpff et al. (2024). It is lower where
#: fewer than four hidden units would remain: a ReLU unit can stop responding for the rest of the
#: training, and without any unit all gates are constant.
_REDUCTION = _FEWEST_HIDDEN = 4


def make_attention(kind: str | None, axis: str, n_maps: int, n_electrodes: int) -> nn.Module:
    """Return the attention layer with the given name, as the networks use it.

    Parameters
    ----------
    kind : {"se", "cbam", "eca"} or None
        `SqueezeExcitation`, `CBAM` or `ECA`; None for a layer that returns its input.
    axis : {"maps", "electrodes", "map-electrode"}
        What has a gate, see `Attention`.
    n_maps, n_electrodes : int
        Sizes of these axes in the layer's input.

    Returns
    -------
    torch.nn.Module
        An `Attention`, or `torch.nn.Identity`. The bottleneck has a reduction of 4, as in the
        comparison of attention layers in networks for EEG [1]_, or a lower one where fewer than 4
        units would remain. Gates of maps depend on means, gates of electrodes on powers, for the
        reason given in `Attention`.

    Raises
    ------
    ValueError
        If a parameter has a value that it cannot take.

    References
    ----------
    .. [1] M. Wimpff et al., "EEG motor imagery decoding: a framework for comparative analysis with
       channel attention mechanisms", J. Neural Eng. 21:036020, 2024. arXiv 2310.11198.

    Examples
    --------
    >>> make_attention("eca", "maps", n_maps=16, n_electrodes=1)
    ECA(
      16, axis='maps', statistic='mean'
      (conv): Conv1d(1, 1, kernel_size=(3,), stride=(1,), padding=(1,), bias=False)
    )
    """
    check_choice("attention_axis", axis, ATTENTION_AXES)
    if kind is None:
        return nn.Identity()
    layer = ATTENTIONS[check_choice("attention, where it is not None,", kind, ATTENTIONS)]
    of_maps = axis == "maps"
    (size,) = check_positive_ints(size=n_maps if of_maps else n_electrodes)
    reduction = max(1, min(_REDUCTION, size // _FEWEST_HIDDEN))
    return layer(
        size,
        axis=axis,
        statistic="mean" if of_maps else "power",
        **({} if layer is ECA else {"reduction": reduction}),
    )
