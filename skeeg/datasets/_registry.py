"""The data sets by their names on the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..data import EEGData
from .bciciii_iiib import load_bciciii_iiib
from .bnci2014_001 import load_bnci2014_001
from .deap import LABELS, load_deap
from .eegbci import TASKS as EEGBCI_TASKS
from .eegbci import load_eegbci
from .eegmat import load_eegmat
from .high_gamma import load_high_gamma
from .muse import TASKS as MUSE_TASKS
from .muse import load_muse
from .simulated import simulate_motor_imagery
from .ssvep import load_ssvep_exoskeleton


@dataclass(frozen=True)
class Loader:
    """A data set that can be loaded by name.

    Parameters
    ----------
    load : callable
        Returns an `EEGData`; all but the simulator take a folder as their first argument.
    description : str
        One line.
    task : str
        The default labels.
    licence : str
        Of the data.
    citation : str
        The paper to cite.
    needs_path : bool, default=False
        Whether the user must provide the files.
    labels : tuple of str, default=()
        The values of the parameter ``label`` of `load`, if it has one.
    tasks : tuple of str, default=()
        The values of the parameter ``task`` of `load`, if it has one.
    window, band : str, optional
        Times of a trial and pass band, where the defaults of `load` do not say them.
    paradigm : str, default=""
        The recipe that suits the data, a key of `skeeg.recipes.RECIPES`; empty if there is none.
    """

    load: Callable[..., EEGData]
    description: str
    task: str
    licence: str
    citation: str
    needs_path: bool = False
    labels: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    window: str = ""
    band: str = ""
    paradigm: str = ""


LOADERS: dict[str, Loader] = {
    "simulated": Loader(
        load=simulate_motor_imagery,
        description="simulated motor imagery, 22 channels, nothing to download",
        task="left or right hand imagery",
        licence="none needed",
        citation="Pfurtscheller and Lopes da Silva (1999), doi:10.1016/S1388-2457(99)00141-8",
    ),
    "eegbci": Loader(
        load=load_eegbci,
        description="PhysioNet motor imagery, 109 subjects, 64 channels",
        task="imagery of both fists or both feet",
        licence="ODC-BY 1.0",
        citation="Schalk et al. (2004), doi:10.1109/TBME.2004.827072",
        tasks=tuple(EEGBCI_TASKS),
        paradigm="motor_imagery",
    ),
    "eegmat": Loader(
        load=load_eegmat,
        description="PhysioNet mental arithmetic, 36 subjects, 19 channels",
        task="rest or arithmetic (split by subject only)",
        licence="ODC-BY 1.0",
        citation="Zyma et al. (2019), doi:10.3390/data4010014",
        window="4 s of 60 s",
        paradigm="mental_state",
    ),
    "ssvep": Loader(
        load=load_ssvep_exoskeleton,
        description="SSVEP at an exoskeleton, 12 subjects, 8 channels",
        task="lamp at 13, 17 or 21 Hz, or rest",
        licence="CC0 1.0 (GitHub), CC-BY 4.0 (Zenodo)",
        citation="Kalunga et al. (2016), doi:10.1016/j.neucom.2016.01.007",
        paradigm="ssvep",
    ),
    "muse": Loader(
        load=load_muse,
        description="Muse headband, evoked potentials, 1 subject, 4 channels",
        task="stimulus in the left or right visual field",
        licence="BSD-3-Clause",
        citation="Barachant et al. (2019), doi:10.5281/zenodo.3228861",
        tasks=tuple(MUSE_TASKS),
        window=", ".join(f"{task.tmin:g} to {task.tmax:g} s" for task in MUSE_TASKS.values()),
        paradigm="evoked_response",
    ),
    "bciciii-iiib": Loader(
        load=load_bciciii_iiib,
        description="BCI Competition III IIIb, 2 subjects, 2 bipolar channels",
        task="left or right hand imagery",
        licence="research only, after registration",
        citation="Blankertz et al. (2006), doi:10.1109/TNSRE.2006.875642",
        needs_path=True,
        paradigm="motor_imagery",
    ),
    "bnci2014-001": Loader(
        load=load_bnci2014_001,
        description="BCI Competition IV 2a through MOABB, 9 subjects, 22 channels",
        task="imagery of left hand, right hand, feet or tongue",
        licence="CC-BY-ND 4.0",
        citation="Tangermann et al. (2012), doi:10.3389/fnins.2012.00055",
        paradigm="motor_imagery",
    ),
    "high-gamma": Loader(
        load=load_high_gamma,
        description="High-Gamma data set through MOABB, 14 subjects, 128 channels",
        task="movement of left hand, right hand or feet, or rest",
        licence="CC-BY 4.0",
        citation="Schirrmeister et al. (2017), doi:10.1002/hbm.23730",
        paradigm="motor_imagery",
    ),
    "deap": Loader(
        load=load_deap,
        description="DEAP, emotions from music videos, 32 subjects, 32 channels",
        task="high or low valence",
        licence="research only, after signing an agreement",
        citation="Koelstra et al. (2012), doi:10.1109/T-AFFC.2011.15",
        needs_path=True,
        labels=LABELS,
        window="60 s",
        band="4 to 45 Hz",
    ),
}
"""Every data set by its name on the command line."""
