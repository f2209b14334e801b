"""The options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .config import read_config
from .options import chosen
from .windows import FEATURE_MODELS, FEATURES, WINDOW

PROTOCOLS = ("within-subject", "cross-session", "cross-subject")

_DATA, _MODELS = "Data", "Models"
_EVALUATION, _RUN, _FILES = "Evaluation", "Computation", "Files"


def in_panel(panel: str, help: str, *names: str, **settings: Any) -> Any:
    """Return an option that the help shows in a panel.

    Parameters
    ----------
    panel, help : str
    *names : str
        Names on the command line; by default that of the parameter.
    **settings
        As of `typer.Option`.
    """
    return typer.Option(*names, help=help, rich_help_panel=panel, **settings)


Data = Annotated[
    str,
    in_panel(
        _DATA,
        "Name of a data set; a .npz of EEGData.save; MNE epochs (-epo.fif); or recordings, as a "
        "folder or as files separated by commas.",
    ),
]
DataPath = Annotated[
    Path | None, in_panel(_DATA, "Folder of the data set; without it, it is downloaded.", "--path")
]
TaskName = Annotated[
    str | None,
    in_panel(_DATA, "Task of a data set with several, see 'skeeg datasets'.", "--task"),
]
Subjects = Annotated[
    str | None, in_panel(_DATA, "Subjects, such as 1,2,5-8; by default all.", "--subjects")
]
Events = Annotated[
    str | None,
    in_panel(
        _DATA,
        "Events of recordings, separated by commas, which are the classes; by default all.",
        "--events",
    ),
]
Tmin = Annotated[
    float | None,
    in_panel(_DATA, "Start of the trials, in seconds from the event.", "--tmin"),
]
Tmax = Annotated[
    float | None, in_panel(_DATA, "End of the trials, in seconds from the event.", "--tmax")
]
Fmin = Annotated[float | None, in_panel(_DATA, "Lower edge of the pass band, in Hz.", "--fmin")]
Fmax = Annotated[float | None, in_panel(_DATA, "Upper edge of the pass band, in Hz.", "--fmax")]
Sfreq = Annotated[float | None, in_panel(_DATA, "Sampling rate to resample to, in Hz.", "--sfreq")]
Picks = Annotated[
    str | None,
    in_panel(
        _DATA,
        "Channels, separated by commas; of recordings also a type, by default eeg.",
        "--picks",
    ),
]
Reference = Annotated[
    str | None,
    in_panel(
        _DATA, "Reference of recordings: average, or channels separated by commas.", "--reference"
    ),
]
Metadata = Annotated[
    str | None,
    in_panel(
        _DATA,
        "Subject, session and run of recordings: a pattern of file names, such as "
        "'{subject}_run{run}.edf', or a table (.csv, .tsv) with a column 'file'.",
        "--metadata",
    ),
]
Features = Annotated[
    str | None,
    in_panel(
        _DATA,
        f"{', '.join(FEATURES)}: differential entropy of windows, for the models "
        f"{', '.join(FEATURE_MODELS)}.",
        "--features",
    ),
]
Window = Annotated[
    float | None,
    in_panel(
        _DATA,
        "Length of windows in seconds. Also runs the split of shuffled windows, with leakage, next "
        f"to the valid one. By default {WINDOW:g} with --features or --task quadrant; otherwise "
        "trials are not cut.",
        "--window",
    ),
]
Protocol = Annotated[
    str | None,
    in_panel(
        _EVALUATION,
        f"{', '.join(PROTOCOLS)}. By default within-subject, or cross-subject if each recording "
        "has one class.",
        "--protocol",
    ),
]
Epochs = Annotated[
    int | None,
    in_panel(
        _MODELS,
        "Training epochs of the networks; by default that of each, or 40 for simulated data.",
        "--epochs",
        min=1,
    ),
]
EarlyStopping = Annotated[
    bool,
    in_panel(
        _MODELS,
        "Train each network until a part of its training trials is not predicted better.",
        "--early-stopping",
    ),
]
Jobs = Annotated[
    int, in_panel(_RUN, "Number of fits that run in parallel; -1: one per core.", "--n-jobs")
]
Dask = Annotated[
    str | None,
    in_panel(
        _RUN,
        "Address of a Dask scheduler, such as tcp://10.0.0.1:8786, on whose workers the fits run, "
        "instead of --n-jobs.",
        "--dask",
    ),
]
Seed = Annotated[int, in_panel(_RUN, "Seed of the random numbers.", "--seed", min=0)]
Overwrite = Annotated[
    bool, in_panel(_FILES, "Replace results of other data in OUT.", "--overwrite")
]
Config = Annotated[
    Path | None,
    in_panel(
        _FILES,
        "File (.toml, .yaml) of options, and of models' parameters in tables parameters.MODEL. "
        "Options of the command line come first.",
        "--config",
        callback=read_config,
        is_eager=True,
    ),
]
SaveConfig = Annotated[
    Path | None, in_panel(_FILES, "Write all options to this file, for --config.", "--save-config")
]


def checked_protocol(protocol: str | None) -> str | None:
    """Return the name of a protocol; an unknown name is a usage error."""
    return None if protocol is None else chosen(protocol, PROTOCOLS, "protocol", "--protocol")[0]
