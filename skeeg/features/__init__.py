"""Features of EEG trials: pure functions, and scikit-learn transformers over them."""

from .bands import BANDS, check_bands
from .filter_bank import FilterBank, filter_bank
from .power import BandPower, band_power
from .scaling import UnitScaler

__all__ = [
    "BANDS",
    "BandPower",
    "FilterBank",
    "UnitScaler",
    "band_power",
    "check_bands",
    "filter_bank",
]
