"""
See what a network has learnt
=============================

A decoder that works may have learnt eye movements instead of brain activity. The spatial patterns
of its filters and their frequency responses show where and at which frequencies the signal is that
it relies on.
"""

# %%
# In the simulation, movements of the hands attenuate a rhythm of 10 Hz at C3 or C4.

from skeeg import EEGNetClassifier
from skeeg.datasets import simulate_motor_imagery

data = simulate_motor_imagery(
    n_subjects=1, n_sessions=1, n_runs=3, n_trials=40, tmax=2.0, difficulty=0.1, random_state=0
)
clf = EEGNetClassifier(n_temporal_filters=4, max_epochs=40, dropout=0.25, random_state=0)
clf.fit(data, data.y)
print(f"training accuracy {clf.score(data, data.y):.2f}")

# %%
# The weights of a spatial filter are not where the signal is: they also suppress noise. Patterns
# are (Haufe et al., 2014). These should have their extremes over the hand areas.

from skeeg.inspection import spatial_patterns, temporal_filters
from skeeg.plotting import plot_frequency_response, plot_patterns

patterns = spatial_patterns(clf, data)
figure = plot_patterns(patterns)

# %%
# The temporal filters that matter should pass 10 Hz.

figure = plot_frequency_response(temporal_filters(clf))

# %%
# How much does the accuracy fall if one channel is replaced by that of other trials?

from skeeg.inspection import channel_importance
from skeeg.plotting import plot_importance

importance = channel_importance(clf, data, data.y, random_state=0)
figure = plot_importance(importance)
