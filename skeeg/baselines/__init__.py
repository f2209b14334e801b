"""Classical decoders as scikit-learn pipelines, for comparison with networks.

Each function returns an unfitted `sklearn.pipeline.Pipeline` that takes the same ``X`` of shape
(n_trials, n_chans, n_times) as the networks: arrays, `mne.Epochs` or `EEGData`. The steps have
short names, so that parameters such as ``csp__n_components`` or ``svm__C`` can be searched. The
results do not depend on the unit of the recording. A flat trial is treated as a trial with almost
no power, which is an outlier: pipelines of log power and entropy warn about such training trials.
The baselines for continuous targets refuse them, since one can spoil a least-squares fit.

========================  ======================  ==================================================
function                  use for                 steps
========================  ======================  ==================================================
`csp_lda`                 motor imagery           common spatial patterns, linear discriminant
`csp_svm`                 motor imagery           common spatial patterns, support vectors
`fbcsp_lda`               motor imagery           CSP of nine bands, selection, linear discriminant
`band_power_lr`           states, workload        log band power, logistic regression
`band_power_svm`          states, workload        log band power, support vectors
`band_power_mlp`          states, workload        log band power, a network of one layer
`entropy_svm`             emotions                differential entropy, support vectors
`entropy_mlp`             emotions                differential entropy, a network of one layer
`entropy_tree`            emotions                differential entropy, decision tree
`tangent_space_lr`        rhythms, steady state   covariance, tangent space, logistic regression
`acm_tangent_space_svm`   imagery, steady state   delayed copies, covariance, tangent space, SVM
`ssvep_cca`               steady state            canonical correlation, linear discriminant
`ssvep_trca`              steady state            correlation with class averages
`xdawn_lr`                evoked responses        Xdawn, waveforms, logistic regression
`xdawn_tangent_space_lr`  evoked responses        xDAWN covariance, tangent space, regression
`erp_covariance_mdm`      evoked responses        covariance with averages, nearest mean
`band_power_ridge`        continuous targets      log band power, ridge regression
`spoc_ridge`              continuous targets      source power comodulation, ridge regression
`tangent_space_ridge`     continuous targets      covariance, tangent space, ridge regression
========================  ======================  ==================================================
"""

from ._steps import FlatTrialCheck
from .entropy import entropy_mlp, entropy_svm, entropy_tree
from .power import band_power_lr, band_power_mlp, band_power_ridge, band_power_svm
from .riemannian import (
    Covariances,
    DelayEmbedding,
    acm_tangent_space_svm,
    erp_covariance_mdm,
    tangent_space_lr,
    tangent_space_ridge,
    xdawn_tangent_space_lr,
)
from .spatial import CSP, SPoC, Xdawn, csp_lda, csp_svm, fbcsp_lda, spoc_ridge, xdawn_lr
from .steady_state import (
    CanonicalCorrelation,
    TaskRelatedComponents,
    canonical_correlations,
    ssvep_cca,
    ssvep_trca,
    stimulus_frequencies,
)

__all__ = [
    "CSP",
    "CanonicalCorrelation",
    "Covariances",
    "DelayEmbedding",
    "FlatTrialCheck",
    "SPoC",
    "TaskRelatedComponents",
    "Xdawn",
    "acm_tangent_space_svm",
    "band_power_lr",
    "band_power_mlp",
    "band_power_ridge",
    "band_power_svm",
    "canonical_correlations",
    "csp_lda",
    "csp_svm",
    "entropy_mlp",
    "entropy_svm",
    "entropy_tree",
    "erp_covariance_mdm",
    "fbcsp_lda",
    "spoc_ridge",
    "ssvep_cca",
    "ssvep_trca",
    "stimulus_frequencies",
    "tangent_space_lr",
    "tangent_space_ridge",
    "xdawn_lr",
    "xdawn_tangent_space_lr",
]
