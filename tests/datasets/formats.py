"""Small recordings in the formats of EEG systems, written without the library that reads them."""

from __future__ import annotations

import struct
from pathlib import Path

import edfio
import mne
import numpy as np
import pybv
from scipy.io import savemat

SFREQ = 128
NAMES = ("C3", "Cz", "C4")
SECONDS = 12
#: Onsets in seconds and names of the events.
EVENTS = ((1.0, "left"), (4.0, "right"), (7.0, "left"), (10.0, "right"))
CODES = {"left": 769, "right": 770}
LIMIT = 2e-4  # volts that the integers of a file reach


def volts(seed=0):
    """Return noise of 20 microvolts, shape (3, n_times)."""
    return 2e-5 * np.random.default_rng(seed).standard_normal((len(NAMES), SECONDS * SFREQ))


def write_edf(path, values):
    """EDF+, with annotations."""
    _edfio(edfio.Edf, edfio.EdfSignal, values).write(path)


def write_bdf(path, values):
    """BDF+, with annotations."""
    _edfio(edfio.Bdf, edfio.BdfSignal, values).write(path)


def _edfio(of_file, of_signal, values):
    signals = [
        of_signal(
            row * 1e6, SFREQ, label=name, physical_dimension="uV",
            physical_range=(-LIMIT * 1e6, LIMIT * 1e6),
        )
        for row, name in zip(values, NAMES, strict=True)
    ]  # fmt: skip
    events = [edfio.EdfAnnotation(onset, None, name) for onset, name in EVENTS]
    return of_file(signals, annotations=events)


def write_biosemi(path, values):
    """BDF of BioSemi: integers of 24 bits, events in the bits of the channel Status."""
    digital = np.round(values * 1e6 * 8388607 / (LIMIT * 1e6)).astype("<i4")
    status = np.zeros(values.shape[1], "<i4")
    for onset, name in EVENTS:
        start = round(onset * SFREQ)
        status[start : start + 10] = CODES[name]
    rows = np.vstack([digital, status]).reshape(len(NAMES) + 1, SECONDS, SFREQ)
    path.write_bytes(_header_of_bdf() + _three_bytes(rows.swapaxes(0, 1)))


def _header_of_bdf():
    n = len(NAMES) + 1
    limits = [f"{-LIMIT * 1e6:g}", f"{LIMIT * 1e6:g}"]
    fields = [
        ("", 80), ("", 80), ("01.01.24", 8), ("00.00.00", 8), (256 * (n + 1), 8), ("24BIT", 44),
        (SECONDS, 8), (1, 8), (n, 4),
        *((name, 16) for name in (*NAMES, "Status")), *[("", 80)] * n,
        *[("uV", 8)] * (n - 1), ("Boolean", 8),
        *[(limits[0], 8)] * (n - 1), ("-8388608", 8), *[(limits[1], 8)] * (n - 1), ("8388607", 8),
        *[("-8388607", 8)] * (n - 1), ("-8388608", 8), *[("8388607", 8)] * n,
        *[("", 80)] * n, *[(SFREQ, 8)] * n, *[("", 32)] * n,
    ]  # fmt: skip
    return b"\xffBIOSEMI" + b"".join(str(text).ljust(size).encode() for text, size in fields)


def _three_bytes(integers):
    return np.ascontiguousarray(integers).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def write_gdf(path, values):
    """GDF 1.25: integers of 16 bits, and a table of events."""
    n = len(NAMES)
    limit = LIMIT * 1e6
    header = b"GDF 1.25" + b" " * 80 + b" " * 80 + b"2024010100000000"
    header += struct.pack("<q", 256 * (n + 1)) + bytes(24) + bytes(20)
    header += struct.pack("<qIII", SECONDS, 1, 1, n)
    header += b"".join(name.ljust(16).encode() for name in NAMES) + b" " * 80 * n
    header += b"uV      " * n + struct.pack(f"<{2 * n}d", *[-limit] * n, *[limit] * n)
    header += struct.pack(f"<{2 * n}q", *[-32767] * n, *[32767] * n) + b" " * 80 * n
    header += struct.pack(f"<{2 * n}i", *[SFREQ] * n, *[3] * n) + bytes(32 * n)
    digital = np.round(values / LIMIT * 32767).astype("<i2").reshape(n, SECONDS, SFREQ)
    onsets = [round(onset * SFREQ) + 1 for onset, _ in EVENTS]  # counted from one
    table = struct.pack("<B3BI", 1, SFREQ, 0, 0, len(EVENTS))
    table += struct.pack(f"<{len(EVENTS)}I", *onsets)
    table += struct.pack(f"<{len(EVENTS)}H", *(CODES[name] for _, name in EVENTS))
    path.write_bytes(header + digital.swapaxes(0, 1).tobytes() + table)


def write_brainvision(path, values):
    """Three files: header, markers, and values in a file that ends in ``.eeg``."""
    events = [
        {"onset": round(onset * SFREQ), "duration": 1, "description": name, "type": "Comment"}
        for onset, name in EVENTS
    ]
    pybv.write_brainvision(
        data=values, sfreq=SFREQ, ch_names=NAMES, fname_base=path.stem, folder_out=path.parent,
        events=events, unit="µV", resolution=1e-3,
    )  # fmt: skip


def write_eeglab(path, values, *, beside=False):
    """A MATLAB file, with the values in a ``.fdt`` beside it if wanted."""
    events = np.array(
        [(name, onset * SFREQ + 1, 0.0) for onset, name in EVENTS],
        dtype=[("type", object), ("latency", float), ("duration", float)],
    )
    n_times = values.shape[1]
    stored = (values * 1e6).astype(np.float32)
    if beside:
        path.with_suffix(".fdt").write_bytes(stored.T.tobytes())
    eeg = {
        "setname": "", "filename": path.name, "filepath": "", "nbchan": len(NAMES), "trials": 1,
        "pnts": n_times, "srate": float(SFREQ), "xmin": 0.0, "xmax": (n_times - 1) / SFREQ,
        "times": np.empty(0), "data": path.with_suffix(".fdt").name if beside else stored,
        "icawinv": np.empty(0), "icasphere": np.empty(0), "icaweights": np.empty(0),
        "chanlocs": np.array([(name,) for name in NAMES], dtype=[("labels", object)]),
        "event": events, "epoch": np.empty(0), "ref": "common",
    }  # fmt: skip
    savemat(path, {"EEG": eeg}, appendmat=False)


def write_eeglab_pair(path, values):
    """EEGLAB's pair of files."""
    write_eeglab(path, values, beside=True)


def write_fif(path, values):
    """MNE's own format."""
    info = mne.create_info(list(NAMES), float(SFREQ), "eeg")
    raw = mne.io.RawArray(values, info, verbose="error")
    onsets, names = zip(*EVENTS, strict=True)
    raw.set_annotations(mne.Annotations(onsets, 0.0, names))
    raw.save(path, overwrite=True, verbose="error")


#: The ending of each format, what writes it, and the names of the events in it.
FORMATS = {
    "edf": (".edf", write_edf, ("left", "right")),
    "bdf": (".bdf", write_bdf, ("left", "right")),
    "biosemi": (".bdf", write_biosemi, (769, 770)),
    "gdf": (".gdf", write_gdf, ("769", "770")),
    "brainvision": (".vhdr", write_brainvision, ("left", "right")),
    "eeglab": (".set", write_eeglab, ("left", "right")),
    "eeglab pair": (".set", write_eeglab_pair, ("left", "right")),
    "fif": ("_raw.fif", write_fif, ("left", "right")),
    "compressed fif": ("_raw.fif.gz", write_fif, ("left", "right")),
}


def write(kind, folder, name, values) -> Path:
    """Write a recording and return the file to open."""
    ending, writer, _ = FORMATS[kind]
    path = Path(folder) / f"{name}{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    writer(path, values)
    return path
