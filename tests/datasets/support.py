"""Files in the exact formats of data sets that cannot be had freely."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from scipy.io import savemat


def write_deap_like(folder, subjects=(1,), *, matlab=False, seed=0):
    """Write sNN.dat (or sNN.mat) of simulated subjects, and return the arrays in each.

    Alpha power follows the rating of valence and beta power that of arousal. Every trial has a
    gain of its own in each channel, which is what leaks where its segments are divided.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for subject in subjects:
        rng = np.random.default_rng([seed, subject])
        arrays = {"labels": rng.uniform(1, 9, (40, 4)).round(2)}
        valence, arousal = (arrays["labels"][:, :2].T > 5)[:, :, None]
        seconds = np.arange(8064) / 128
        rhythms = (1 + valence) * np.sin(2 * np.pi * 10 * seconds)
        rhythms = rhythms + (1 + arousal) * np.sin(2 * np.pi * 20 * seconds)
        gain = 5 * np.exp(0.3 * rng.standard_normal((40, 40, 1)))
        noise = rng.standard_normal((40, 40, 8064), dtype=np.float32)
        arrays["data"] = gain * (noise + rhythms[:, None])
        if matlab:
            savemat(folder / f"s{subject:02d}.mat", arrays)
        else:
            (folder / f"s{subject:02d}.dat").write_bytes(python_2_pickle(arrays))
        written[subject] = arrays
    return written


def python_2_pickle(arrays):
    """Return what `cPickle.dumps(arrays, 2)` of Python 2 returns, for a dict of float64 arrays."""
    parts = [b"\x80\x02}q\x01("]
    memo = 2
    for i, (name, array) in enumerate(arrays.items()):
        parts += [_string(name.encode()), b"q%c" % memo]
        if i == 0:
            parts += [b"cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04"]
            memo = 5
        else:
            parts += [b"h\x03h\x04"]
            memo += 1
        parts += [b"K\x00\x85U\x01b\x87Rq%c" % memo, b"(K\x01", _tuple(array.shape)]
        if i == 0:
            parts += [b"cnumpy\ndtype\nq\x06U\x02f8K\x00K\x01\x87Rq\x07"]
            parts += [b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"]
            memo = 8
        else:
            parts += [b"h\x07"]
            memo += 1
        parts += [b"\x89", _string(array.astype("<f8").tobytes()), b"tb"]
    return b"".join([*parts, b"u."])


def _string(value):
    if len(value) < 256:
        return b"U" + struct.pack("<B", len(value)) + value
    return b"T" + struct.pack("<i", len(value)) + value


def _tuple(numbers):
    coded = [
        b"K" + struct.pack("<B", n) if n < 256 else b"M" + struct.pack("<H", n) for n in numbers
    ]
    return b"".join(coded) + {1: b"\x85", 2: b"\x86", 3: b"\x87"}[len(numbers)]
