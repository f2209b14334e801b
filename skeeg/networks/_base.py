"""What all networks share: how they are built, and the parameters that several of them have."""

from __future__ import annotations

from torch import nn

from .._checks import check_number, check_positive_ints, did_you_mean
from .._parameters import Parameters, ordered_fields, parameter


class Network(Parameters, nn.Module):
    """Base of networks whose constructor is made from typed fields.

    A network declares its fields and makes its layers in `build`. Fields that can be passed by
    position are the sizes of a trial and of the output, and must be integers of at least 1.
    """

    def __post_init__(self) -> None:
        nn.Module.__init__(self)
        sizes = [field.name for field in ordered_fields(type(self)) if not field.kw_only]
        checked = check_positive_ints(**{name: getattr(self, name) for name in sizes})
        for name, size in zip(sizes, checked, strict=True):
            setattr(self, name, size)
        self.build()

    def build(self) -> None:
        """Check the hyper-parameters and make the layers."""
        raise NotImplementedError


class SignalNetwork(Network):
    """Base of networks that take trials as they are recorded."""

    n_chans: int = parameter(doc="Number of electrodes, C.", kw_only=False)
    n_times: int = parameter(doc="Number of samples in a trial, T.", kw_only=False)
    n_outputs: int = parameter(
        doc="Number of outputs, N: the classes, or the targets of a regression.", kw_only=False
    )


class MapNetwork(Network):
    """Base of networks that take topographic maps."""

    n_bands: int = parameter(
        doc="Number of frequency bands, each of which has a map.", kw_only=False
    )
    height: int = parameter(doc="Number of rows of a map, H.", kw_only=False)
    width: int = parameter(doc="Number of columns of a map, W.", kw_only=False)
    n_outputs: int = parameter(
        doc="Number of outputs, N: the classes, or the targets of a regression.", kw_only=False
    )


class ActivationParameters(Parameters):
    """The activation function of a network."""

    activation: str = parameter(default="elu", doc="A name in `skeeg.layers.ACTIVATIONS`.")
    alpha: float | None = parameter(
        default=None,
        doc="The ELU coefficient or the leaky slope; None takes that function's default.",
    )


class AttentionParameters(Parameters):
    """Attention in networks that begin with temporal and spatial filters."""

    attention: str | None = parameter(
        default=None,
        kind='{"se", "cbam", "eca"}',
        doc="""Gates between 0 and 1 that the network computes for each trial: squeeze and
        excitation, convolutional block attention or efficient channel attention, see
        `skeeg.layers.make_attention`.""",
    )
    attention_axis: str = parameter(
        default="maps",
        kind='{"maps", "electrodes", "map-electrode"}',
        doc="""What the gates scale: the maps of the spatial filters, after the first pool; or,
        between temporal and spatial filters, the electrodes, or each electrode in each temporal
        map. The latter two need the maps that `skeeg.layers.TemporalSpatialFilter` otherwise never
        forms, and take many times longer.""",
    )


def samples_of(
    name: str, length: object, *, seconds: float | None, sfreq: object, otherwise: int
) -> int:
    """Return a length in samples, which may have been given as ``"auto"``.

    Parameters
    ----------
    name : str
        The parameter, as the user spells it.
    length : int or "auto"
        What the user passed.
    seconds : float or None
        The length that ``"auto"`` stands for; None where that is a number of samples.
    sfreq : float or None
        Sampling rate in Hz, where it is known.
    otherwise : int
        What ``"auto"`` stands for in samples, where the rate or the length in seconds is not known.

    Returns
    -------
    length : int
        At least 1.

    Raises
    ------
    ValueError
        If the length is neither an integer of at least 1 nor ``"auto"``, or the sampling rate is
        not a positive finite number.

    Examples
    --------
    >>> samples_of("kernel_length", "auto", seconds=0.5, sfreq=250, otherwise=64)
    125
    """
    rate = None if sfreq is None else check_number("sfreq", sfreq, above=0)
    if not isinstance(length, str):
        return check_positive_ints(**{name: length})[0]
    if length != "auto":
        hint = did_you_mean(length, ["auto"]) or " The only string that it takes is 'auto'."
        raise ValueError(f"{name} must be an integer of at least 1; got {length!r}.{hint}")
    if seconds is None or rate is None:
        return otherwise
    return max(1, round(seconds * rate))
