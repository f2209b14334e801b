"""
Evaluate networks with MOABB
============================

MOABB has hundreds of recordings and evaluations with fixed protocols. A network of skeeg is one
pipeline among others there.
"""

# %%
# MOABB's fake data set has the structure of a real one, but holds noise, so that nothing is
# downloaded and scores are at chance. Replace it by ``BNCI2014_001()`` for a real evaluation.

import warnings

import moabb
from moabb.datasets.fake import FakeDataset
from moabb.evaluations import CrossSessionEvaluation
from moabb.paradigms import LeftRightImagery

moabb.set_log_level("error")
warnings.simplefilter("ignore")
dataset = FakeDataset(
    ["left_hand", "right_hand"], n_sessions=2, n_runs=1, n_subjects=2, paradigm="imagery", sfreq=128
)
paradigm = LeftRightImagery(resample=128)

# %%
# The pipelines get arrays of trials.

from skeeg import EEGNetClassifier
from skeeg.baselines import csp_lda

evaluation = CrossSessionEvaluation(
    paradigm=paradigm, datasets=[dataset], overwrite=True, suffix="skeeg-gallery"
)
results = evaluation.process(
    {"CSP and LDA": csp_lda(), "EEGNet": EEGNetClassifier(max_epochs=5, random_state=0)}
)
results.groupby("pipeline")[["score", "time"]].mean().round(2)
