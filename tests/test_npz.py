"""Files from strangers: they are refused by name, at once, and without using much memory."""

import io
import os
import pickle
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pytest
from scipy.io import savemat

from skeeg import EEGData
from skeeg.datasets import load_deap
from skeeg.datasets._pickle import read_pickled_arrays

#: Reads a file, and prints the error and by how many MiB the process grew.
READ = """
import resource
import scipy.io
from skeeg import EEGData
from skeeg.datasets import load_bciciii_iiib, load_deap
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, 8 * 2**30))
try:
    {call}
except (ValueError, OSError) as error:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
    print(type(error).__name__, str(error)[:300])
"""


def growth_and_error(call):
    code = READ.format(call=call)
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    growth, error = run.stdout.split("\n", 1)
    return int(growth), error


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return EEGData.from_arrays(
        rng.standard_normal((6, 2, 40)), ["a", "b"] * 3, 100, subject=[1, 1, 2, 2, 3, 3]
    )


def npy_bytes(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=True)
    return file.getvalue()


def zeros_npy(n_bytes):
    """Yield an array of zeros in pieces."""
    header = npy_bytes(np.zeros(1, "u1")).replace(b"(1,), }", f"({n_bytes},), }}".encode())
    length = len(npy_bytes(np.zeros(1, "u1"))) - 1
    yield header[: length - 1].rstrip()[: length - 1].ljust(length - 1) + b"\n"
    for _ in range(n_bytes // 2**20):
        yield bytes(2**20)


def rewritten(path, **members):
    """Write a saved EEGData again with other arrays, or bytes, in some members."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    for name, value in members.items():
        contents[f"{name}.npy"] = value if isinstance(value, bytes) else npy_bytes(value)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def test_a_bomb_of_zeros_is_refused_before_it_expands(tmp_path, data):
    file = data.save(tmp_path / "bomb.npz")
    with zipfile.ZipFile(file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    for loader, name in (("EEGData.load", "X.npy"), ("load_bciciii_iiib", "signal.npy")):
        target = file if loader == "EEGData.load" else tmp_path / "folder" / "S4b_train.npz"
        target.parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for member in contents.keys() - {name}:
                archive.writestr(member, contents[member])
            with archive.open(name, "w", force_zip64=True) as out:
                for piece in zeros_npy(2**28):
                    out.write(piece)
        argument = repr(str(target if loader == "EEGData.load" else target.parent))
        options = "" if loader == "EEGData.load" else ", subjects='S4b'"
        growth, error = growth_and_error(f"{loader}({argument}{options})")
        assert error.startswith(f"ValueError {target}")
        assert "MiB" in error
        assert growth < 100


def test_a_pickle_that_repeats_its_text_is_refused(tmp_path):
    text = b"a" * 10**6
    encode = b"h\x00h\x01U\x06latin1\x86R"  # _codecs.encode(text, "latin1")
    file = tmp_path / "s01.dat"
    file.write_bytes(
        b"\x80\x02c_codecs\nencode\nq\x00X" + len(text).to_bytes(4, "little") + text + b"q\x01"
        + encode * 3000 + b"."
    )  # fmt: skip
    growth, error = growth_and_error(f"load_deap({str(tmp_path)!r})")
    assert error.startswith(f"ValueError {file}")
    assert "it makes more bytes than it holds" in error
    assert growth < 100


def test_text_that_is_encoded_once_is_read(tmp_path):
    array = np.arange(200, dtype="u1")
    (tmp_path / "a.dat").write_bytes(pickle.dumps({"data": array}, protocol=2))
    np.testing.assert_array_equal(read_pickled_arrays(tmp_path / "a.dat")["data"], array)


def element(kind, content):
    return np.array([kind, len(content)], "<u4").tobytes() + content + bytes(-len(content) % 8)


def compressed_matrix(kind, name, shape, n_zeros):
    """Return a compressed array of MATLAB of `n_zeros` bytes."""
    head = element(6, np.array([kind, 0], "<u4").tobytes())
    head += element(5, np.array(shape, "<i4").tobytes()) + element(1, name)
    packer = zlib.compressobj(9)
    packed = packer.compress(np.array([14, len(head) + 8 + n_zeros], "<u4").tobytes() + head)
    packed += packer.compress(np.array([9, n_zeros], "<u4").tobytes())
    for _ in range(n_zeros // 2**20):
        packed += packer.compress(bytes(2**20))
    packed += packer.flush()
    return np.array([15, len(packed)], "<u4").tobytes() + packed


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ((1, (40, 40, 8064), 5 * 2**20), "'data' does not hold numbers"),  # a cell array
        ((6, (40, 40, 8064), 2**27), "it holds more than 98 MiB in one array"),
    ],
)
def test_arrays_of_matlab_that_grow_are_refused(tmp_path, matrix, message):
    kind, shape, n_zeros = matrix
    start = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    small = io.BytesIO()
    savemat(small, {"labels": np.ones((40, 4))})
    file = tmp_path / "s01.mat"
    file.write_bytes(
        start + compressed_matrix(kind, b"data", shape, n_zeros) + small.getvalue()[128:]
    )
    growth, error = growth_and_error(f"load_deap({str(tmp_path)!r})")
    assert error.startswith(f"ValueError {file}")
    assert message in error
    assert growth < 100


def test_compressed_files_of_matlab_are_read(tmp_path):
    arrays = {"data": np.ones((40, 40, 8064)), "labels": np.full((40, 4), 5.5)}
    savemat(tmp_path / "s01.mat", arrays, do_compression=True)
    assert load_deap(tmp_path).shape == (40, 32, 7680)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"X": np.full((6, 2, 40), "a")}, "X must hold real numbers"),
        ({"X": np.zeros((6, 2, 40), complex)}, "X must hold real numbers"),
        ({"X": np.zeros((6, 2, 40), "M8[s]")}, "X must hold real numbers"),
        ({"X": np.zeros((6, 2, 40), [("a", "f4")])}, r"X\.npy has the dtype \[\('a', '<f4'\)\]"),
        ({"X": np.zeros((6, 2, 40), object)}, "Object arrays cannot be loaded"),
        ({"X": npy_bytes(np.zeros((6, 2, 40), "f4"))[:-8]}, "its header needs"),
        ({"X": npy_bytes(np.zeros(1)).replace(b"(1,)", b"((1,")}, "cannot be read"),
        ({"X": npy_bytes(np.zeros(10)).replace(b"(10,)", b"(-9,)")}, "its header needs"),
        ({"sfreq": np.array("100")}, "its sampling rate or channel names"),
        ({"sfreq": np.array([100.0])}, "its sampling rate or channel names"),
        ({"y": np.array([["a", "b"]] * 3)}, "a column has the shape"),
        ({"contents": np.array("{}")}, "cannot be read"),
    ],
)
def test_other_arrays_are_refused_when_they_are_loaded(tmp_path, data, members, message):
    file = data.save(tmp_path / "data.npz")
    rewritten(file, **members)
    with pytest.raises(ValueError, match=rf"data\.npz .*{message}"):
        EEGData.load(file)


def test_encrypted_and_oddly_compressed_files_are_refused(tmp_path, data):
    content = data.save(tmp_path / "data.npz").read_bytes()
    start = content.index(b"PK\x01\x02")
    for offset, value in ((8, 1), (10, 14), (10, 12), (10, 99)):  # encrypted; LZMA, BZIP2, unknown
        spoilt = bytearray(content)
        spoilt[start + offset] = value
        spoilt[offset - 2] = value
        (tmp_path / "spoilt.npz").write_bytes(spoilt)
        with pytest.raises(ValueError, match=r"spoilt\.npz cannot be read as EEGData"):
            EEGData.load(tmp_path / "spoilt.npz")


def test_what_is_no_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "s01.dat")
    for path, kind in (
        (tmp_path / "s01.dat", "a named pipe"),
        (tmp_path, "a folder"),
        ("/dev/zero", "a device"),
    ):
        with pytest.raises(ValueError, match=rf"{path} .*is {kind}"):
            EEGData.load(path)
    with pytest.raises(ValueError, match=r"s01\.dat is damaged .* is a named pipe"):
        load_deap(tmp_path)


def mutated(content, rng):
    """Return bytes with a few changed, cut off, repeated or replaced."""
    spoilt = bytearray(content)
    how = rng.integers(5)
    if how == 0:
        for place in rng.integers(len(spoilt), size=rng.integers(1, 9)):
            spoilt[place] = rng.integers(256)
    elif how == 1:
        del spoilt[rng.integers(len(spoilt)) :]
    elif how == 2:
        first, last = sorted(rng.integers(len(spoilt), size=2))
        del spoilt[first:last]
    elif how == 3:
        first, last = sorted(rng.integers(len(spoilt), size=2))
        spoilt[last:last] = spoilt[first:last]
    else:
        start = spoilt.index(b"PK\x01\x02")  # the directory, which says sizes and names
        for place in rng.integers(start, len(spoilt), size=rng.integers(1, 5)):
            spoilt[place] ^= 1 << rng.integers(8)
    return bytes(spoilt)


@pytest.mark.parametrize(
    ("seed", "n_files"), [(0, 100), pytest.param(1, 2000, marks=pytest.mark.slow)]
)
def test_mutated_files_are_refused_by_name(tmp_path, data, seed, n_files):
    content = data.save(tmp_path / "data.npz").read_bytes()
    rng = np.random.default_rng(seed)
    file = tmp_path / "mutated.npz"
    refused = []
    for _ in range(n_files):
        file.write_bytes(mutated(content, rng))
        try:
            read = EEGData.load(file)
        except (ValueError, OSError) as error:
            refused.append(str(error))
        else:  # a change of what is not checked, such as the time of a member
            np.testing.assert_array_equal(read.X, data.X)
            assert read.y.tolist() == data.y.tolist()
    assert len(refused) > 0.6 * n_files
    assert all("mutated.npz" in message for message in refused)
