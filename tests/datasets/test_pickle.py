"""Pickles give arrays of numbers, and run nothing."""

from __future__ import annotations

import builtins
import copyreg
import functools
import importlib
import os
import pickle
import struct
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from skeeg.datasets._pickle import read_pickled_arrays

from .support import python_2_pickle

# What Python 2.7.18 with numpy 1.16.6 wrote of EXPECTED, by protocol.
PYTHON_2 = {
    0: (
        b"(dp1\nS'labels'\np2\ncnumpy.core.multiarray\n_reconstruct\np3\n(cnumpy\nndarray\np4\n"
        b"(I0\ntS'b'\ntRp5\n(I1\n(I1\nI2\ntcnumpy\ndtype\np6\n(S'f8'\nI0\nI1\ntRp7\n(I3\nS'<'\n"
        b"NNNI-1\nI-1\nI0\ntbI00\nS'\\x00\\x00\\x00\\x00\\x00\\x00\\xf0?\\x00\\x00\\x00\\x00"
        b"\\x00\\x00\"@'\ntbsS'data'\np8\ng3\n(g4\n(I0\ntS'b'\ntRp9\n(I1\n(I1\nI1\nI3\ntg7\nI00\n"
        b"S'\\x00\\x00\\x00\\x00\\x00\\x00\\xe0?\\x00\\x00\\x00\\x00\\x00\\x00\\xf4\\xbf\\x00\\x00"
        b"\\x00\\x00\\x00\\xc0r@'\ntbs."
    ),
    1: (
        b"}q\x01(U\x06labelsq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03(cnumpy\nndarray\n"
        b"q\x04(K\x00tU\x01btRq\x05(K\x01(K\x01K\x02tcnumpy\ndtype\nq\x06(U\x02f8K\x00K\x01tRq\x07"
        b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbI00\nU\x10\x00\x00\x00\x00\x00"
        b'\x00\xf0?\x00\x00\x00\x00\x00\x00"@tbU\x04dataq\x08h\x03(h\x04(K\x00tU\x01btRq\t(K\x01'
        b"(K\x01K\x01K\x03th\x07I00\nU\x18\x00\x00\x00\x00\x00\x00\xe0?\x00\x00\x00\x00\x00\x00"
        b"\xf4\xbf\x00\x00\x00\x00\x00\xc0r@tbu."
    ),
    2: (
        b"\x80\x02}q\x01(U\x06labelsq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\n"
        b"ndarray\nq\x04K\x00\x85U\x01b\x87Rq\x05(K\x01K\x01K\x02\x86cnumpy\ndtype\nq\x06U\x02f8"
        b"K\x00K\x01\x87Rq\x07(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x10"
        b'\x00\x00\x00\x00\x00\x00\xf0?\x00\x00\x00\x00\x00\x00"@tbU\x04dataq\x08h\x03h\x04K\x00'
        b"\x85U\x01b\x87Rq\t(K\x01K\x01K\x01K\x03\x87h\x07\x89U\x18\x00\x00\x00\x00\x00\x00\xe0?"
        b"\x00\x00\x00\x00\x00\x00\xf4\xbf\x00\x00\x00\x00\x00\xc0r@tbu."
    ),
}
EXPECTED = {"labels": np.array([[1.0, 9.0]]), "data": np.array([[[0.5, -1.25, 300.0]]])}


def read(contents, tmp_path):
    file = tmp_path / "s01.dat"
    file.write_bytes(contents)
    return read_pickled_arrays(file)


def array_of(values, dtype=b"f8", order=b"<", shape=b"K\x01\x85", raw=None):
    """A dictionary with one array, every part of which can be made to lie."""
    raw = np.asarray(values).tobytes() if raw is None else raw
    return (
        b"\x80\x02}U\x01xcnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b"
        b"\x87R(K\x01" + shape + b"cnumpy\ndtype\nU" + bytes([len(dtype)]) + dtype
        + b"K\x00K\x01\x87R(K\x03U\x01" + order + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        + b"\x89U" + bytes([len(raw)]) + raw + b"tbs."
    )  # fmt: skip


# ---------------------------------------------------------------------- what is read


@pytest.mark.parametrize("protocol", PYTHON_2)
def test_what_python_2_wrote_is_read(protocol, tmp_path):
    arrays = read(PYTHON_2[protocol], tmp_path)
    assert list(arrays) == list(EXPECTED)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, EXPECTED[name], strict=True)


def test_tests_write_what_python_2_wrote():
    assert python_2_pickle(EXPECTED) == PYTHON_2[2]


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "i1", ">u2", "<i8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_python_3_writes_is_read(protocol, dtype, order, tmp_path):
    values = np.arange(24).reshape(2, 3, 4).astype(dtype, order=order)
    arrays = read(pickle.dumps({"x": values, "y": values[:1]}, protocol), tmp_path)
    np.testing.assert_array_equal(arrays["x"], values, strict=True)
    np.testing.assert_array_equal(arrays["y"], values[:1], strict=True)


def test_large_arrays_are_not_copied(tmp_path):
    contents = python_2_pickle({"data": np.zeros((1, 100, 20_000))})
    tracemalloc.start()
    try:
        read_pickled_arrays(_written(contents, tmp_path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.1 * 16e6 + 1e6


def _written(contents, tmp_path):
    file = tmp_path / "large.dat"
    file.write_bytes(contents)
    return file


# ---------------------------------------------------------------------- what runs code


class Calls:
    """Pickles as the call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call

    def __call__(self):
        """Pickle lets only what can be called be called."""


def gadgets(mark):
    """Pickles, each of which creates the file `mark` when `pickle.loads` reads it."""
    command, code = f"touch {mark}", f"open({str(mark)!r}, 'w').close()"
    text = command.encode()
    quoted = f"S{command!r}\n".encode()
    module = Calls(importlib.import_module, "os")
    objects = {
        "os.system": Calls(os.system, command),
        "builtins.eval": Calls(eval, code),
        "builtins.exec": Calls(exec, code),
        "builtins.open": Calls(open, str(mark), "w"),
        "subprocess": Calls(subprocess.check_call, ["touch", str(mark)]),
        "functools.partial": Calls(functools.partial(os.system, command)),
        "getattr": Calls(Calls(getattr, module, "system"), command),
        "map": Calls(list, Calls(map, eval, (code,))),
        "numpy.memmap": Calls(np.memmap, str(mark), "u1", "w+", 0, 1),
        "numpy runstring": Calls(np.testing.runstring, code, {}),
        "object array": np.array([Calls(os.system, command)], dtype=object),
    }
    pickles = {
        f"{name}, protocol {protocol}": pickle.dumps({"data": value, "labels": 0}, protocol)
        for name, value in objects.items()
        for protocol in (0, 2, 4)
    }
    pickles["INST"] = b"(" + quoted + b"ios\nsystem\n."
    pickles["OBJ"] = b"(cos\nsystem\n" + quoted + b"o."
    pickles["Python 2's name"] = b"c__builtin__\neval\n(S" + repr(code).encode() + b"\ntR."
    dotted = b"\x80\x04\x8c\x04glob\x8c\x09os.system\x93"
    pickles["dotted name"] = dotted + b"\x8c" + bytes([len(text)]) + text + b"\x85R."
    pickles["extension"] = b"\x80\x02\x82\xf0X" + struct.pack("<I", len(text)) + text + b"\x85R."
    return pickles


@pytest.fixture
def extension():
    """os.system as an extension that the process knows already, past every check by name."""
    copyreg.add_extension("os", "system", 240)
    assert pickle.loads(b"\x80\x02\x82\xf0.") is os.system
    yield
    copyreg.remove_extension("os", "system", 240)


@pytest.mark.parametrize("name", gadgets("x"))
def test_hostile_pickles_are_refused_and_run_nothing(name, tmp_path, extension):
    mark = tmp_path / "mark"
    contents = gadgets(mark)[name]
    "".encode("raw_unicode_escape")  # pickles of protocol 0 are text in this encoding
    modules = set(sys.modules)
    with pytest.raises(ValueError, match="nothing in the file was run"):
        read(contents, tmp_path)
    assert not mark.exists()
    assert set(sys.modules) == modules
    pickle.loads(contents)  # the gadget is a real one
    assert mark.exists()


class Explosive:
    def __setstate__(self, state):
        pytest.fail("a pickle was executed")


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (pickle.dumps({"x": Calls(os.system, "true")}, 2), r"asks for (posix|nt)\.system, which"),
        (pickle.dumps({"x": Calls(builtins.eval, "1")}, 4), r"asks for builtins\.eval, which"),
        (pickle.dumps({"x": np.array([object()])}, 2), "an array of 'O8'"),
        (pickle.dumps({"x": np.zeros(2, "f8,i4")}, 2), "an array of 'V12'"),
        (pickle.dumps({"x": np.array(["a"])}, 2), "an array of 'U1'"),
        (pickle.dumps({"x": np.float64(1)}, 2), r"multiarray\.scalar, which"),
        (pickle.dumps({"x": Explosive()}, 2), r"copyreg\._reconstructor|Explosive, which"),
        (pickle.dumps({"x": np.zeros(2)}, 5), r"numeric\._frombuffer, which"),
        (pickle.dumps({"x": np.zeros(2).view(np.recarray)}, 2), "recarray"),
        (b"\x80\x02cnumpy\nload\n.", r"asks for numpy\.load, which"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.", r"numpy\.ndarray\.tofile, which"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0cdtype.__call\x93.", r"numpy\.dtype\.__call, which"),
        (b"Pos.system\n.", "opcode PERSID"),
        (b"\x80\x02K\x01Q.", "opcode BINPERSID"),
        (b"\x80\x02\x82\xf0.", "opcode EXT1"),
        (b"\x80\x02\x83\xf0\x00.", "opcode EXT2"),
        (b"\x80\x02\x84\xf0\x00\x00\x00.", "opcode EXT4"),
        (b"\x80\x02cnumpy\nndarray\n)\x81.", "opcode NEWOBJ,"),
        (b"\x80\x04cnumpy\nndarray\n)}\x92.", "opcode NEWOBJ_EX"),
        (b"\x80\x02]K\x01a.", "opcode EMPTY_LIST"),
        (b"\x80\x05\x96\x00\x00\x00\x00\x00\x00\x00\x00.", "opcode BYTEARRAY8"),
        (b"\x80\x02\xff.", "opcode 0xff"),
        (b"\x80\x02cnumpy\nndarray\nK\x02\x85R.", "calls what makes no array"),
        (b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nU\x03int\x85R.", "calls what makes no"),
        (b"\x80\x02c_codecs\nencode\nU\x01xU\x05rot13\x86R.", "calls what makes no array"),
        (b"\x80\x02}K\x01)R.", "calls what makes no array"),
        (b"\x80\x02cnumpy\ndtype\n}U\x08__call__K\x01sb.", "changes what is not an array"),
        (b"\x80\x02}}U\x01xK\x01sb.", "changes what is not an array"),
        (b"\x80\x02}U\x01xK\x01s.", "'x' is not an array"),
        (b"\x80\x02}U\x01xcnumpy\nndarray\ns.", "'x' is not an array"),
        (b"\x80\x02}K\x01K\x01s.", "a int where text belongs"),
        (b"\x80\x02K\x01.", "does not hold a dictionary"),
    ],
)  # fmt: skip
def test_what_is_refused_is_named(contents, message, tmp_path):
    with pytest.raises(ValueError, match=message) as caught:
        read(contents, tmp_path)
    assert str(caught.value).endswith("; nothing in the file was run")


# ---------------------------------------------------------------------- what does not fit


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (array_of([1.0], shape=b"K\x02\x85"), r"shape \(2,\) and type float64, and holds 8 bytes"),
        (array_of([1.0], shape=b"\x8a\x06\x00\x00\x00\x00\x00\x01\x85"), "claims an array of"),
        (array_of([1.0], shape=b"J\xff\xff\xff\xffJ\xff\xff\xff\xff\x86"), "not made of plain"),
        (array_of([1.0], shape=b"(" + b"K\x01" * 33 + b"t"), "not made of plain"),
        (array_of([1.0], shape=b"N"), "not made of plain"),
        (array_of([1.0], dtype=b"O"), "an array of 'O'"),
        (array_of([1.0], dtype=b"V8"), "an array of 'V8'"),
        (array_of([1.0], dtype=b"f8,f8"), "an array of 'f8,f8'"),
        (array_of([1.0], order=b"x"), "byte order 'x'"),
        (
            b"\x80\x02}U\x01xcnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n\x85Rs.",
            "its array 'x' has no values",
        ),
    ],
)  # fmt: skip
def test_arrays_that_contradict_themselves_are_refused(contents, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read(contents, tmp_path)


def test_the_crafted_array_is_otherwise_sound(tmp_path):
    assert read(array_of([1.5]), tmp_path)["x"].tolist() == [1.5]


HUGE = struct.pack("<Q", 2**61)


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "contents",
    [
        b"\x80\x02}U\x01xT\xff\xff\xff\x7f" + b"a" * 100,
        b"\x80\x04}U\x01x\x8e" + HUGE + b"a" * 100,
        b"\x80\x04\x95" + HUGE + b"K\x01.",
        # Forty tuples, each of the one before it twice: 2 ** 40 steps to hash or compare.
        b"\x80\x02}K\x01" + b"2\x86" * 40 + b"K\x01s.",
        b"\x80\x02}K\x01" + b"q\x01h\x01\x86" * 40 + b"K\x01s.",
        b"\x80\x02}U\x01xK\x01" + b"q\x01h\x01\x86" * 40 + b"K\x01\x85Rs.",
        b"I" + b"9" * 10_000 + b"\n.",
        array_of([1.0], shape=b"(" + b"\x8a\xff" + b"\x7f" * 255 + b"t"),
    ],
)
def test_what_claims_more_than_there_is_costs_nothing(contents, tmp_path):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="nothing in the file was run") as caught:
            read(contents, tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2e6
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("protocol", PYTHON_2)
def test_every_truncation_is_refused(protocol, tmp_path):
    contents = PYTHON_2[protocol]
    for length in range(len(contents)):
        with pytest.raises(ValueError, match="nothing in the file was run"):
            read(contents[:length], tmp_path)


def test_a_file_that_ends_early_is_said_to(tmp_path):
    with pytest.raises(ValueError, match="it ends too early"):
        read(PYTHON_2[2][:-30], tmp_path)


@pytest.mark.filterwarnings("ignore:invalid:DeprecationWarning")
def test_damage_anywhere_raises_a_value_error_or_gives_numbers(tmp_path):
    rng = np.random.default_rng(0)
    for protocol, contents in PYTHON_2.items():
        for _ in range(300):
            damaged = bytearray(contents)
            damaged[rng.integers(len(contents))] = rng.integers(256)
            try:
                arrays = read(bytes(damaged), tmp_path)
            except ValueError:
                continue
            assert all(array.dtype.kind in "fiu" for array in arrays.values()), protocol
