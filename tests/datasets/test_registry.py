import inspect
import subprocess
import sys

import pytest

import skeeg
from skeeg import datasets
from skeeg.datasets import LOADERS, load_bciciii_iiib, load_deap, simulate_motor_imagery

NAMES = [
    "simulated",
    "eegbci",
    "eegmat",
    "ssvep",
    "muse",
    "bciciii-iiib",
    "bnci2014-001",
    "high-gamma",
    "deap",
]


def test_every_data_set_has_its_name():
    assert list(LOADERS) == NAMES
    exported = {getattr(datasets, name) for name in datasets.__all__ if name[0].islower()}
    # These need arguments that a name does not give.
    exported -= {
        datasets.simulate_band_power_regression,
        datasets.load_recordings,
        datasets.load_bids,
    }
    assert {loader.load for loader in LOADERS.values()} == exported


@pytest.mark.parametrize("name", NAMES)
def test_every_data_set_is_described(name):
    loader = LOADERS[name]
    for text in (loader.description, loader.task, loader.licence, loader.citation):
        assert text
        assert "\n" not in text
    if loader.licence != "none needed":
        assert loader.licence.split(" (")[0].split(",")[0] in inspect.getdoc(loader.load) or (
            loader.needs_path
        )


def test_only_what_cannot_be_downloaded_needs_a_path():
    needing = [loader.load for loader in LOADERS.values() if loader.needs_path]
    assert needing == [load_bciciii_iiib, load_deap]


@pytest.mark.parametrize("name", NAMES[1:])
def test_loaders_have_one_signature(name):
    parameters = inspect.signature(LOADERS[name].load).parameters
    assert list(parameters)[:2] == ["path", "subjects"]
    assert parameters["path"].default is None
    if name != "deap":  # which comes filtered and resampled
        assert {"fmin", "fmax", "sfreq"} <= set(parameters)
    assert all(p.kind is p.KEYWORD_ONLY for p in list(parameters.values())[1:])


def test_simulated_data_can_be_called_without_arguments():
    assert LOADERS["simulated"].load is simulate_motor_imagery
    assert isinstance(LOADERS["simulated"].load(), skeeg.EEGData)


def test_listing_the_data_sets_imports_neither_mne_nor_torch_nor_moabb():
    code = (
        "import sys; from skeeg.datasets import LOADERS; "
        "print(sorted({'mne', 'torch', 'moabb'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
