"""
Compare decoders across subjects
================================

`skeeg.compare` evaluates all estimators on the same folds. Here each fold leaves one of five
subjects out.
"""

import skeeg
from skeeg import EEGNetClassifier, baselines
from skeeg.datasets import simulate_motor_imagery

data = simulate_motor_imagery(
    n_subjects=5, n_sessions=1, n_runs=1, n_trials=32, tmax=2.5, difficulty=0.2, random_state=3
)
comparison = skeeg.compare(
    {
        "EEGNet": EEGNetClassifier(dropout=0.25, max_epochs=15),
        "CSP and LDA": baselines.csp_lda(),
        "band power and SVM": baselines.band_power_svm(sfreq=data.sfreq),
    },
    data,
    cv="cross-subject",
    random_state=0,
    progress=False,
)
comparison

# %%
# The summary has the mean and spread over subjects, the chance level, the accuracy that guessing
# exceeds with a probability of 5 %, and paired tests against the best estimator. With five
# subjects, the smallest p-value of a permutation of signs is 1/16.

comparison.summary().drop(columns=["fit_time", "predict_time"]).round(3)

# %%

figure = comparison.plot_scores()

# %%
# The confusion matrix over all out-of-fold trials:

figure = comparison.plot_confusion("EEGNet")

# %%
# Loss and accuracy of the network in each fold:

figure = comparison.plot_history("EEGNet")
