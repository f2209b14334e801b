"""Every public transformer passes scikit-learn's checks."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skeeg import all_estimators

#: What the checks' trials, which are plain arrays of one channel, do not say.
UNKNOWN = {"sfreq": 128, "ch_names": ["Cz"]}
#: Transformers whose defaults need it; all others are checked with their defaults.
NEEDING = {
    "BandPower",
    "DifferentialEntropy",
    "FilterBank",
    "TopographicMap",
}
#: They need electrodes of both hemispheres, or a baseline, which trials of one channel and 1 to 20
#: samples do not have. The checks are in the tests of their own.
ELSEWHERE = {"Asymmetry", "BaselineCorrection"}


def made(name, cls):
    known = cls().get_params()
    needed = UNKNOWN if name in NEEDING else {}
    return cls(**{key: value for key, value in needed.items() if key in known})


@pytest.mark.filterwarnings("ignore:n_selected_chans=8", "ignore:Segments of")
@parametrize_with_checks(
    [made(name, cls) for name, cls in all_estimators("transformer") if name not in ELSEWHERE]
)
def test_it_passes_every_check_of_scikit_learn(estimator, check):
    check(estimator)
