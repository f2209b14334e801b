"""Names and places of electrodes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skeeg._electrodes import flat_positions, mirrored, side, template_montage


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


def test_unknown_names_are_listed():
    with pytest.raises(ValueError, match="ch_names has 'EXG1', 'x', which the 10-05 system does"):
        flat_positions(["Cz", "EXG1", "x"])
