"""Make compare.png, the figure of the README, with the README's own code.

Run it from anywhere: ``python docs/images/compare.py``. It takes about half a minute.
"""

from pathlib import Path

import skeeg
from skeeg import EEGNetClassifier
from skeeg.baselines import csp_lda
from skeeg.datasets import simulate_motor_imagery

six_subjects = simulate_motor_imagery(
    n_subjects=6, n_sessions=1, n_runs=1, n_trials=40, difficulty=0.3, random_state=0
)
estimators = {
    "EEGNet": EEGNetClassifier(dropout=0.25, max_epochs=12),
    "CSP and LDA": csp_lda(),
    "band power and SVM": skeeg.baselines.band_power_svm(sfreq=six_subjects.sfreq),
}
comparison = skeeg.compare(
    estimators, six_subjects, cv="cross-subject", random_state=0, progress=False
)
figure = comparison.plot_scores()
figure.savefig(Path(__file__).with_suffix(".png"), dpi=150)
print(comparison.summary()[["mean", "std", "n", "chance", "chance_upper", "p_holm"]].round(2))
