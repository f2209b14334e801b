"""Checks of parameters."""

import subprocess
import sys

import numpy as np
import pytest

from skeeg._checks import (
    check_choice,
    check_flag,
    check_integer,
    check_lengths,
    check_number,
    check_positive,
    check_positive_ints,
    did_you_mean,
    value_or,
)


def test_the_checks_import_neither_torch_nor_mne():
    heavy = (
        "import sys, skeeg._checks; sys.exit(len({'torch', 'mne', 'sklearn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", heavy], check=False).returncode == 0


def test_none_stands_for_the_default():
    assert value_or(None, 3) == 3
    assert value_or(0, 3) == 0


@pytest.mark.parametrize("name", ["csp_lda", "CSP-LDA", "csp-ldaa", "Csp_Lda"])
def test_a_similar_name_is_suggested_whatever_its_case_and_separator(name):
    assert did_you_mean(name, ["eegnet", "csp-lda"]) == " Did you mean 'csp-lda'?"


@pytest.mark.parametrize("name", ["qqq", "", None, 3, ["eegnet"]])
def test_no_name_is_suggested_where_none_is_similar(name):
    assert did_you_mean(name, ["eegnet", "csp-lda"]) == ""


def test_a_choice_that_is_allowed_comes_back():
    assert check_choice("kind", "dasm", {"dasm": 1, "rasm": 2}) == "dasm"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("DASM", "kind must be one of 'dasm', 'rasm'; got 'DASM'. Did you mean 'dasm'?"),
        (None, "kind must be one of 'dasm', 'rasm'; got None."),
        (["dasm"], "kind must be one of 'dasm', 'rasm'; got ['dasm']."),
    ],
)
def test_another_choice_is_refused(value, message):
    with pytest.raises(ValueError, match="kind") as error:
        check_choice("kind", value, ["dasm", "rasm"])
    assert str(error.value) == message


def test_numbers_come_back_as_python_floats():
    number = check_number("alpha", np.float32(0.5), at_least=0, at_most=0.5)
    assert type(number) is float
    assert number == 0.5
    assert check_number("alpha", np.int64(3), above=2, below=4) == 3.0


@pytest.mark.parametrize(
    ("value", "bounds", "message"),
    [
        (-1, {"at_least": 0}, "alpha must be a finite number at least 0; got -1."),
        (0.0, {"above": 0}, "alpha must be a finite number above 0; got 0.0."),
        (1, {"above": 0, "below": 1}, "alpha must be a finite number above 0 and below 1; got 1."),
        (1.5, {"at_most": 1}, "alpha must be a finite number at most 1; got 1.5."),
        (float("nan"), {}, "alpha must be a finite number; got nan."),
        (float("inf"), {"above": 0}, "alpha must be a finite number above 0; got inf."),
        (True, {}, "alpha must be a finite number; got True."),
        ("1", {}, "alpha must be a finite number; got '1'."),
    ],
)
def test_other_numbers_are_refused(value, bounds, message):
    with pytest.raises(ValueError, match="alpha") as error:
        check_number("alpha", value, **bounds)
    assert str(error.value) == message


def test_an_integer_too_large_for_a_float_is_refused():
    with pytest.raises(ValueError, match="must be a finite number; got 1000"):
        check_number("alpha", 10**400)


def test_integers_come_back_as_python_ints():
    integer = check_integer("n", np.int16(3), at_least=3, at_most=3)
    assert type(integer) is int
    assert integer == 3
    assert check_positive_ints(a=1, b=np.uint8(2)) == [1, 2]
    assert check_lengths("lengths", (3, 5)) == [3, 5]


@pytest.mark.parametrize(
    ("value", "bounds", "message"),
    [
        (1, {"at_least": 2}, "n must be an integer of at least 2; got 1."),
        (9, {"at_least": 1, "at_most": 8}, "n must be an integer of at least 1 and at most 8; got"),
        (2.0, {}, "n must be an integer; got 2.0."),
        (True, {"at_least": 1}, "n must be an integer of at least 1; got True."),
        (None, {}, "n must be an integer; got None."),
    ],
)
def test_other_integers_are_refused(value, bounds, message):
    with pytest.raises(ValueError, match="n must be") as error:
        check_integer("n", value, **bounds)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("values", [(), 3, "35", None])
def test_lengths_must_be_a_sequence(values):
    with pytest.raises(ValueError, match="lengths must be a sequence of one integer or more"):
        check_lengths("lengths", values)


def test_a_wrong_length_is_named_by_its_position():
    with pytest.raises(ValueError, match=r"lengths\[1\] must be an integer of at least 1; got 0"):
        check_lengths("lengths", [3, 0])


@pytest.mark.parametrize("value", [0, -1.5, float("nan"), float("inf"), "128", True, None])
def test_what_must_be_positive_is_refused_with_its_unit(value):
    with pytest.raises(ValueError, match="sfreq must be a positive number of Hz; got"):
        check_positive("sfreq", value, "Hz")


@pytest.mark.parametrize("value", [1, "yes", None])
def test_a_flag_must_be_a_boolean(value):
    assert check_flag("log", True) is True
    with pytest.raises(ValueError, match="log must be True or False; got"):
        check_flag("log", value)
