"""The classical decoders that a network has to beat, as ordinary scikit-learn pipelines.

Each function returns an unfitted `sklearn.pipeline.Pipeline` that takes the same
``X`` of shape (n_trials, n_chans, n_times) as the networks do: arrays, `mne.Epochs` or `EEGData`.
The steps have short names, so that ``csp__n_components`` or ``svm__C`` can be searched. None of
them depends on the unit of the recording.

=====================  ========================  ==================================================
function               for                       steps
=====================  ========================  ==================================================
`csp_lda`              rhythms, imagined motion  common spatial patterns, linear discriminant
`csp_svm`              rhythms, imagined motion  common spatial patterns, support vectors
`band_power_lr`        states, workload          log band power, logistic regression
`band_power_svm`       states, workload          log band power, support vectors
`band_power_mlp`       states, workload          log band power, a network of one hidden layer
`entropy_svm`          emotions                  differential entropy, support vectors
`entropy_mlp`          emotions                  differential entropy, a network of one hidden layer
`entropy_tree`         emotions                  differential entropy, decision tree
`tangent_space_lr`     rhythms, steady state     covariance, tangent space, logistic regression
`xdawn_lr`             evoked responses          Xdawn, waveforms, logistic regression
=====================  ========================  ==================================================
"""

from .entropy import entropy_mlp, entropy_svm, entropy_tree
from .power import band_power_lr, band_power_mlp, band_power_svm
from .spatial import CSP, Xdawn, csp_lda, csp_svm, tangent_space_lr, xdawn_lr

__all__ = [
    "CSP",
    "Xdawn",
    "band_power_lr",
    "band_power_mlp",
    "band_power_svm",
    "csp_lda",
    "csp_svm",
    "entropy_mlp",
    "entropy_svm",
    "entropy_tree",
    "tangent_space_lr",
    "xdawn_lr",
]
