"""
Decode motor imagery with EEGNet and with CSP
=============================================

This example cross-validates a network and a classical baseline on the same runs of simulated
motor imagery, and plots the confusion matrix of the network.
"""

# %%
# One subject imagines movements of the left or the right hand, in three runs of 32 trials. The
# rhythm over the contralateral hand area is attenuated. ``difficulty`` sets how much of it remains.

from skeeg.datasets import simulate_motor_imagery

data = simulate_motor_imagery(
    n_subjects=1, n_sessions=1, n_runs=3, n_trials=32, difficulty=0.2, random_state=1
)
data

# %%
# Both decoders are scikit-learn estimators, so `cross_val_predict` takes either. Each fold leaves
# one run out, because trials of the same run are more similar than trials of different runs.

from sklearn.metrics import accuracy_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from skeeg import EEGNetClassifier
from skeeg.baselines import csp_lda

estimators = {
    "EEGNet": EEGNetClassifier(max_epochs=40, random_state=0),
    "CSP and LDA": csp_lda(),
}
predicted = {
    name: cross_val_predict(
        estimator, data, data.y, groups=data.groups("run"), cv=LeaveOneGroupOut()
    )
    for name, estimator in estimators.items()
}
for name, labels in predicted.items():
    print(f"{name}: accuracy {accuracy_score(data.y, labels):.2f}")

# %%
# The confusion matrix of the network over the left-out runs:

from skeeg.plotting import plot_confusion

figure = plot_confusion(
    data.y, predicted["EEGNet"], classes=["left_hand", "right_hand"], title="EEGNet, left-out runs"
)

# %%
# After a fit on all trials, ``history`` has the training loss of each epoch. It falls during the
# first thirty epochs; a network that is trained for fifteen has hardly begun to learn.

import numpy as np

network = estimators["EEGNet"].fit(data, data.y)
losses = np.array(network.history[:, "train_loss"])
print(losses[::5].round(2))
