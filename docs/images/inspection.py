"""Make inspection.png: the patterns of an EEGNet that was trained on simulated motor imagery.

Run it from anywhere: ``python docs/images/inspection.py``. It takes about half a minute.
"""

from pathlib import Path

from skeeg import EEGNetClassifier
from skeeg.datasets import simulate_motor_imagery
from skeeg.inspection import spatial_patterns
from skeeg.plotting import plot_patterns

data = simulate_motor_imagery(
    n_subjects=1, n_sessions=1, n_runs=3, n_trials=40, difficulty=0.0, random_state=0
)
clf = EEGNetClassifier(max_epochs=40, random_state=0).fit(data, data.y)
figure = plot_patterns(spatial_patterns(clf, data), n_filters=4, fmax=40)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=110)
