"""Names and positions of electrodes in the 10-20 system and its extensions 10-10 and 10-05."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._checks import check_choice

if TYPE_CHECKING:
    import mne

#: The row, from nasion to inion, or cerebellum, ears and mastoids, followed by the column.
_NAME = re.compile(
    r"(n|a?fp|aff?|f|ff?[ct]|fcc|ftt|[ct]|ccp|ttp|[ct]pp?|ppo|poo?|p|oi?|i|cb|[am])"
    r"(z|[1-9]\d?)(h?)"
)

#: Names of the 10-20 system that were changed in the 10-10 system and are still in use.
_RENAMED = {"t3": "t7", "t4": "t8", "t5": "p7", "t6": "p8"}

#: Rows anterior to the central row, and the posterior rows at the same distance from it. The row
#: AF has no entry, as in the pairs published with the SEED data, in which two of its electrodes are
#: paired with electrodes over the cerebellum.
_POSTERIOR = {
    "fp": "o",
    "f": "p",
    "ffc": "cpp",
    "fft": "tpp",
    "fc": "cp",
    "ft": "tp",
    "fcc": "ccp",
    "ftt": "ttp",
}
_POSTERIOR_BY_NAME = {"af3": "cb1", "af4": "cb2"}


class _Parsed(NamedTuple):
    """The parts of a name: ``FFC5h`` is row ``ffc``, column ``5`` and half ``h``."""

    row: str
    column: str
    half: str

    @property
    def number(self) -> int:
        """0 on the midline, odd on the left, even on the right."""
        return 0 if self.column == "z" else int(self.column)


def _parse(name: str) -> _Parsed | None:
    """Return the parts of a name as spelt in the 10-10 system, None for any other name."""
    plain = name.strip().lower()
    found = _NAME.fullmatch(_RENAMED.get(plain, plain))
    return None if found is None else _Parsed(*found.groups())


def side(name: str) -> int | None:
    """Return -1 for an electrode on the left, 1 on the right and 0 on the midline.

    Parameters
    ----------
    name : str

    Returns
    -------
    side : int or None
        None for a name that is not in the 10-05 system.

    Examples
    --------
    >>> [side(name) for name in ("Fp1", "CPz", "FFC6h", "EEG 1")]
    [-1, 0, 1, None]
    """
    parsed = _parse(name)
    if parsed is None:
        return None
    return 0 if parsed.number == 0 else 1 - 2 * (parsed.number % 2)


def mirrored(name: str) -> str:
    """Return the lower-case name of the electrode on the other side of the midline.

    Parameters
    ----------
    name : str
        An electrode of the 10-05 system.

    Returns
    -------
    mirrored : str
        Electrodes on the midline are unchanged.

    Examples
    --------
    >>> mirrored("Fp1"), mirrored("FFC6h"), mirrored("Cz")
    ('fp2', 'ffc5h', 'cz')
    """
    parsed = _parse(name)
    assert parsed is not None  # callers pass names that have a side
    number = parsed.number
    column = str(number - 1 + 2 * (number % 2)) if number else "z"
    return f"{parsed.row}{column}{parsed.half}"


def lateral_pairs(ch_names: Sequence[str]) -> list[tuple[int, int]]:
    """Return the indices of left electrodes and of their mirror images on the right.

    Parameters
    ----------
    ch_names : sequence of str
        Electrodes of the 10-05 system, in upper or lower case. Other names, and electrodes without
        a partner, are ignored.

    Returns
    -------
    pairs : list of (int, int)
        In the order of the left electrodes.

    Examples
    --------
    >>> lateral_pairs(["C4", "Cz", "C3", "F3"])
    [(2, 0)]
    """
    places = _places(ch_names)
    return [
        (i, places[mirrored(name)])
        for i, name in enumerate(ch_names)
        if side(name) == -1 and mirrored(name) in places
    ]


def caudal_pairs(ch_names: Sequence[str]) -> list[tuple[int, int]]:
    """Return the indices of frontal electrodes and of their posterior counterparts.

    Parameters
    ----------
    ch_names : sequence of str
        As in `lateral_pairs`.

    Returns
    -------
    pairs : list of (int, int)
        In the order of the frontal electrodes.

    Examples
    --------
    >>> caudal_pairs(["Fz", "F7", "Cz", "T5", "Pz"])  # T5 is P7 in the 10-10 system
    [(0, 4), (1, 3)]
    """
    places = _places(ch_names)
    return [
        (i, places[posterior])
        for i, name in enumerate(ch_names)
        for posterior in _posterior(name)
        if posterior in places
    ]


def _posterior(name: str) -> Iterator[str]:
    parsed = _parse(name)
    if parsed is None:
        return
    if parsed.row in _POSTERIOR:
        yield f"{_POSTERIOR[parsed.row]}{parsed.column}{parsed.half}"
    elif "".join(parsed) in _POSTERIOR_BY_NAME:
        yield _POSTERIOR_BY_NAME["".join(parsed)]


def _places(ch_names: Sequence[str]) -> dict[str, int]:
    parsed = ((i, _parse(name)) for i, name in enumerate(ch_names))
    return {"".join(name): i for i, name in parsed if name is not None}


def template_montage() -> mne.channels.DigMontage:
    """Return MNE's template montage of the 10-05 system, measured on a head.

    Returns
    -------
    montage : mne.channels.DigMontage
    """
    from mne.channels import get_builtin_montages, make_standard_montage

    # MNE 1.13 renamed its template; 1.12 has only the old name, 1.14 only the new one.
    renamed = "colin27_1005" in get_builtin_montages()
    return make_standard_montage("colin27_1005" if renamed else "standard_1005")


def from_centre(montage: mne.channels.DigMontage) -> dict[str, NDArray[np.float64]]:
    """Return the position of each electrode relative to the centre of a sphere through them.

    Parameters
    ----------
    montage : mne.channels.DigMontage

    Returns
    -------
    positions : dict of str to ndarray, shape (3,)
        Coordinates to the right, to the front and upwards, in metres.
    """
    positions = montage.get_positions()["ch_pos"]
    points = np.array(list(positions.values()))
    # |p - c|^2 = r^2 is linear in c and in r^2 - |c|^2.
    equations = np.column_stack([2 * points, np.ones(len(points))])
    centre = np.linalg.lstsq(equations, np.sum(points**2, axis=1), rcond=None)[0][:3]
    return {name: position - centre for name, position in positions.items()}


@cache
def _flat_template() -> dict[str, tuple[float, float]]:
    """Return the projected position of each template electrode, by lower-case name.

    In this azimuthal equidistant projection, the distance from the vertex is the angle from it in
    units of a right angle. The measured head is not symmetric, so both sides are averaged.
    """
    measured = from_centre(template_montage())
    flat = {name.lower(): _projected(*position) for name, position in measured.items()}
    symmetric = {}
    for name, (x, y) in flat.items():
        other_x, other_y = flat[mirrored(name)]
        symmetric[name] = ((x - other_x) / 2, (y + other_y) / 2)
    return symmetric


def _projected(x: float, y: float, z: float) -> tuple[float, float]:
    across = np.hypot(x, y)
    radius = np.arctan2(across, z) / (np.pi / 2)
    return float(radius * x / across), float(radius * y / across)


def flat_positions(ch_names: Sequence[str]) -> NDArray[np.float64]:
    """Return the positions of electrodes on a flat map of the head, seen from above.

    Parameters
    ----------
    ch_names : sequence of str
        Electrodes of the 10-05 system, in upper or lower case.

    Returns
    -------
    positions : ndarray, shape (n_chans, 2)
        Coordinates to the right and to the front. The vertex is the origin, and the outline of the
        head, through the forehead and the ears, has radius 1.

    Raises
    ------
    ValueError
        If a name is not in the 10-05 system.
    """
    return _look_up(ch_names, _flat_template(), "the 10-05 system")


def sphere_positions(
    ch_names: Sequence[str], montage: str | mne.channels.DigMontage | None = None
) -> NDArray[np.float64]:
    """Return the positions of electrodes on a spherical head of radius 1.

    Parameters
    ----------
    ch_names : sequence of str
        Electrodes of the montage, in upper or lower case.
    montage : str or mne.channels.DigMontage, optional
        The positions of the electrodes: a montage, or the name of one of MNE's. By default MNE's
        template of the 10-05 system, made symmetric.

    Returns
    -------
    positions : ndarray, shape (n_chans, 3)
        Coordinates to the right, to the front and upwards, from the centre.

    Raises
    ------
    TypeError
        If `montage` is something else.
    ValueError
        If a name is not in the montage, or MNE has no montage of that name.
    """
    system = "the 10-05 system" if montage is None else "the montage"
    return _look_up(ch_names, _on_sphere(montage), system)


def has_place(name: str, montage: str | mne.channels.DigMontage | None = None) -> bool:
    """Return whether `sphere_positions` has the position of an electrode.

    Parameters
    ----------
    name : str
    montage : str or mne.channels.DigMontage, optional
        As in `sphere_positions`.

    Returns
    -------
    known : bool
    """
    return name.strip().lower() in _on_sphere(montage)


def _on_sphere(
    montage: str | mne.channels.DigMontage | None,
) -> dict[str, tuple[float, float, float]]:
    if montage is None:
        return _round_template()
    positions = from_centre(_loaded(montage))
    return {
        name.lower(): tuple(position / np.linalg.norm(position))
        for name, position in positions.items()
    }


def _loaded(montage: str | mne.channels.DigMontage) -> mne.channels.DigMontage:
    """Return a montage that is passed as an object or by its name."""
    from mne.channels import DigMontage, get_builtin_montages, make_standard_montage

    if isinstance(montage, str):
        return make_standard_montage(check_choice("montage", montage, get_builtin_montages()))
    if not isinstance(montage, DigMontage):
        raise TypeError(
            "montage must be an mne.channels.DigMontage, the name of one of MNE's, such as "
            f"'biosemi64', or None; got {montage!r}."
        )
    if len(montage.get_positions()["ch_pos"]) < 4:
        raise ValueError(
            "montage must have the positions of at least four electrodes, to find the centre of "
            f"the head; it has {len(montage.get_positions()['ch_pos'])}."
        )
    return montage


@cache
def _round_template() -> dict[str, tuple[float, float, float]]:
    """Return the electrodes of `_flat_template` on the sphere."""
    places = {}
    for name, (x, y) in _flat_template().items():
        radius = np.hypot(x, y)
        angle = radius * np.pi / 2
        across = np.sin(angle) / radius if radius else 0.0
        places[name] = (float(x * across), float(y * across), float(np.cos(angle)))
    return places


def _look_up(
    ch_names: Sequence[str], places: Mapping[str, tuple[float, ...]], system: str
) -> NDArray[np.float64]:
    unknown = [name for name in ch_names if name.strip().lower() not in places]
    if unknown:
        raise ValueError(
            f"ch_names has {', '.join(map(repr, unknown))}, which {system} does not contain, so "
            "their positions are unknown. Drop these channels, or rename them to electrodes such "
            "as 'Fp1', 'Cz' and 'PO8'."
        )
    return np.array([places[name.strip().lower()] for name in ch_names])
