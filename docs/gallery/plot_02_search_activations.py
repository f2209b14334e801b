"""
Search for an activation
========================

``activation`` and ``alpha`` are ordinary parameters, so `GridSearchCV` can search over them.
`skeeg.model_selection.activation_grid` combines ``alpha`` only with functions that have one.
"""

from skeeg.model_selection import activation_grid

grid = activation_grid(alphas=(0.2, 0.8))
grid

# %%
# Seven functions without an alpha and two functions with two values of alpha give eleven
# candidates.

from sklearn.model_selection import GridSearchCV

from skeeg import EEGNetClassifier
from skeeg.datasets import simulate_motor_imagery

data = simulate_motor_imagery(
    n_subjects=1, n_sessions=1, n_runs=2, n_trials=40, tmax=2.0, difficulty=0.1, random_state=1
)
search = GridSearchCV(
    EEGNetClassifier(max_epochs=5, dropout=0.25, random_state=0),
    grid,
    cv=2,  # not shuffled, and the classes are balanced: each fold is close to one run
)
search.fit(data, data.y)

# %%
# The results are plain strings and numbers. With so few trials and folds, the differences between
# activations are within the noise.

import pandas as pd

results = pd.DataFrame(search.cv_results_)
results["name"] = [
    p["activation"] + ("" if p["alpha"] is None else f", alpha {p['alpha']:g}")
    for p in search.cv_results_["params"]
]
results.sort_values("mean_test_score", ascending=False)[
    ["name", "mean_test_score", "std_test_score"]
].round(2)

# %%

from skeeg.plotting import plot_scores

folds = results.set_index("name")[["split0_test_score", "split1_test_score"]].T
figure = plot_scores(folds, "accuracy", chance=0.5, title="Two folds of one subject")

# %%
# The score of the best candidate is optimistic, because the same folds were used to select it. For
# an unbiased score, pass ``search`` to `cross_val_score`.
