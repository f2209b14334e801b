"""Public EEG recordings and simulators; every loader returns an `EEGData`.

A loader reads the folder it is given, or downloads the data set into MNE's data folder. `LOADERS`
maps the names that the command line uses to them.
"""

from ._registry import LOADERS, Loader
from .bciciii_iiib import load_bciciii_iiib
from .bids import load_bids
from .bnci2014_001 import load_bnci2014_001
from .deap import load_deap
from .eegbci import load_eegbci
from .eegmat import load_eegmat
from .high_gamma import load_high_gamma
from .muse import load_muse
from .recordings import load_recordings
from .simulated import simulate_motor_imagery
from .simulated_regression import simulate_band_power_regression
from .ssvep import load_ssvep_exoskeleton

__all__ = [
    "LOADERS",
    "Loader",
    "load_bciciii_iiib",
    "load_bids",
    "load_bnci2014_001",
    "load_deap",
    "load_eegbci",
    "load_eegmat",
    "load_high_gamma",
    "load_muse",
    "load_recordings",
    "load_ssvep_exoskeleton",
    "simulate_band_power_regression",
    "simulate_motor_imagery",
]
