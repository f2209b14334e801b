"""
Choose a few channels
=====================

Fewer electrodes are quicker to place. Three ways to choose them are compared on the same folds, in
which the choice is part of the training.
"""

from sklearn.pipeline import make_pipeline

import skeeg
from skeeg import EEGNetClassifier
from skeeg.baselines import csp_lda
from skeeg.channel_selection import MutualInformationSelector
from skeeg.datasets import simulate_motor_imagery

data = simulate_motor_imagery(
    n_subjects=1, n_sessions=1, n_runs=3, n_trials=32, tmax=2.0, difficulty=0.1, random_state=0
)
network = {"max_epochs": 30, "dropout": 0.25}
comparison = skeeg.compare(
    {
        "CSP, all channels": csp_lda(),
        "CSP, 4 by mutual information": make_pipeline(MutualInformationSelector(4), csp_lda(4)),
        "EEGNet, all channels": EEGNetClassifier(**network),
        "EEGNet, 4 that it chose": EEGNetClassifier(n_selected_chans=4, **network),
    },
    data,
    cv="within-subject",
    random_state=0,
    progress=False,
)
comparison.summary()[["mean", "std", "n"]].round(2)

# %%
# The channels that a network keeps after a fit to all trials:

clf = EEGNetClassifier(n_selected_chans=4, random_state=0, **network).fit(data, data.y)
print(clf.selected_ch_names_)
