"""Features of EEG trials: functions, and scikit-learn transformers that call them."""

from .asymmetry import Asymmetry, asymmetry, asymmetry_pairs
from .bands import BANDS, check_bands
from .baseline import BaselineCorrection, subtract_baseline
from .deap import deap_entropy
from .entropy import DifferentialEntropy, differential_entropy
from .filter_bank import FilterBank, filter_bank
from .hjorth import HjorthParameters, hjorth_parameters
from .power import BandPower, band_power
from .scaling import SampleZScore, UnitScaler, sample_zscore
from .segment import segment
from .table import FeatureTable
from .topography import TopographicMap, electrode_cells, topographic_map
from .transductive import standardise_subjects_transductively

__all__ = [
    "BANDS",
    "Asymmetry",
    "BandPower",
    "BaselineCorrection",
    "DifferentialEntropy",
    "FeatureTable",
    "FilterBank",
    "HjorthParameters",
    "SampleZScore",
    "TopographicMap",
    "UnitScaler",
    "asymmetry",
    "asymmetry_pairs",
    "band_power",
    "check_bands",
    "deap_entropy",
    "differential_entropy",
    "electrode_cells",
    "filter_bank",
    "hjorth_parameters",
    "sample_zscore",
    "segment",
    "standardise_subjects_transductively",
    "subtract_baseline",
    "topographic_map",
]
