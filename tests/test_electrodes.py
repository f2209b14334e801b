"""Names and places of electrodes."""

import mne
import numpy as np
import pytest
from numpy.testing import assert_allclose

from skeeg._electrodes import (
    flat_positions,
    has_place,
    mirrored,
    side,
    sphere_positions,
    template_montage,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Fp1", -1), ("FP2", 1), ("fpz", 0), ("Cz", 0), ("T3", -1), ("FFC5h", -1), ("TP10", 1),
        ("AFp3h", -1), ("M1", -1), ("CB2", 1), (" O1 ", -1), ("EEG 1", None), ("EOG1", None),
        ("E12", None), ("Fp", None), ("1", None), ("C33h", -1), ("FF1", None), ("X1", None),
    ],
)  # fmt: skip
def test_the_side_is_in_the_number(name, expected):
    assert side(name) == expected


def test_every_electrode_of_the_template_has_a_mirror_image_in_it():
    names = template_montage().ch_names
    known = {name.lower() for name in names}
    for name in names:
        assert mirrored(name) in known
        assert side(mirrored(name)) == -side(name)


def test_positions_are_symmetric_and_on_the_side_of_their_names():
    names = template_montage().ch_names
    positions = flat_positions(names)
    images = flat_positions([mirrored(name) for name in names])
    assert_allclose(images, positions * [-1, 1], atol=1e-12)
    assert_allclose(np.sign(positions[:, 0].round(9)), [side(name) for name in names])


def test_positions_are_those_of_the_10_20_system():
    """Steps of 10 and 20 per cent of the arc over the head, 180 degrees from ear to ear."""
    names = ["Cz", "C3", "T7", "Fz", "Fpz", "Pz", "Oz"]
    ideal = [(0, 0), (-0.5, 0), (-1, 0), (0, 0.5), (0, 1), (0, -0.5), (0, -1)]
    assert_allclose(flat_positions(names), ideal, atol=0.15)


def test_positions_on_the_sphere_are_those_of_the_flat_map():
    names = template_montage().ch_names
    on_sphere, flat = sphere_positions(names), flat_positions(names)
    assert_allclose(np.linalg.norm(on_sphere, axis=1), 1)
    angle = np.arccos(on_sphere[:, 2])
    assert_allclose(angle / (np.pi / 2), np.linalg.norm(flat, axis=1), atol=1e-9)
    direction = np.arctan2(on_sphere[:, 0], on_sphere[:, 1])
    assert_allclose(direction, np.arctan2(flat[:, 0], flat[:, 1]), atol=1e-9)


def test_positions_on_the_sphere_point_right_front_and_up():
    positions = sphere_positions(["T8", "Fpz", " cz ", "T4"])
    assert_allclose(positions, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]], atol=0.2)
    assert_allclose(positions[0], positions[3])  # the name before 10-10


@pytest.mark.parametrize("as_object", [False, True])
def test_positions_of_another_montage_are_its_own_directions(as_object):
    name = "GSN-HydroCel-64_1.0"
    montage = mne.channels.make_standard_montage(name)
    found = sphere_positions(["E1", "e30", "E64"], montage if as_object else name)
    places = montage.get_positions()["ch_pos"]
    measured = np.array([places[e] for e in ("E1", "E30", "E64")])
    measured -= measured.mean(axis=0)
    ratio = np.linalg.norm(measured, axis=1) / np.linalg.norm(found - found.mean(axis=0), axis=1)
    assert_allclose(ratio, ratio.mean(), rtol=0.1)  # alike, in another size
    assert has_place("E1", name)
    assert not has_place("E1")
    with pytest.raises(ValueError, match=r"ch_names has 'Cz1', which the montage does not contain"):
        sphere_positions(["E1", "Cz1"], name)


def test_unknown_names_are_listed():
    with pytest.raises(ValueError, match="ch_names has 'EXG1', which the 10-05 system does"):
        sphere_positions(["Cz", "EXG1"])
    with pytest.raises(ValueError, match="ch_names has 'EXG1', 'x', which the 10-05 system does"):
        flat_positions(["Cz", "EXG1", "x"])


def test_what_is_no_montage_is_refused():
    with pytest.raises(TypeError, match=r"montage must be an mne\.channels\.DigMontage, .*; got 5"):
        sphere_positions(["Cz"], 5)
    with pytest.raises(ValueError, match=r"montage must be one of .* Did you mean 'biosemi64'\?"):
        sphere_positions(["Cz"], "biosemi_64")
    few = mne.channels.make_dig_montage({"Cz": (0, 0, 0.1)})
    with pytest.raises(ValueError, match=r"positions of at least four electrodes, .*; it has 1"):
        sphere_positions(["Cz"], few)
