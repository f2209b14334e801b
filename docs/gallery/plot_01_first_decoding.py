"""
First decoding: EEGNet beside CSP and LDA
=========================================

A network and a classical baseline decode simulated motor imagery, on the same runs.
"""

# %%
# One subject imagines movements of the left or the right hand, in three runs of 32 trials. The
# rhythm over the opposite hand area weakens; ``difficulty`` says how much of it remains.

from skeeg.datasets import simulate_motor_imagery

data = simulate_motor_imagery(
    n_subjects=1, n_sessions=1, n_runs=3, n_trials=32, difficulty=0.2, random_state=1
)
data

# %%
# Both are scikit-learn estimators, so `cross_val_predict` takes either. Runs are left out one at a
# time: trials of one run are closer to each other than to those of the next.

from sklearn.metrics import accuracy_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from skeeg import EEGNetClassifier
from skeeg.baselines import csp_lda

estimators = {
    "EEGNet": EEGNetClassifier(max_epochs=15, random_state=0),
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
# Where the errors are:

from skeeg.plotting import plot_confusion

figure = plot_confusion(
    data.y, predicted["EEGNet"], classes=["left_hand", "right_hand"], title="EEGNet, left-out runs"
)

# %%
# How the network learnt, on all trials. ``history`` is skorch's.

network = estimators["EEGNet"].fit(data, data.y)
print([round(loss, 2) for loss in network.history[:, "train_loss"]])
