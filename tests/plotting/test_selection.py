"""The figure of a selection shows the selected electrodes at their positions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError

from skeeg import EEGData, ModuleClassifier
from skeeg._electrodes import flat_positions
from skeeg.channel_selection import MutualInformationSelector, NetworkChannelSelector
from skeeg.plotting import plot_selection

from ..channel_selection.support import LogVariance, powers

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
NAMES = ("Fz", "C3", "Cz", "Pz", "C4", "Oz")


@pytest.fixture(scope="module")
def data():
    X, y = powers()
    return EEGData.from_arrays(X, y, 128.0, NAMES)


@pytest.fixture(scope="module")
def classifier(data):
    clf = ModuleClassifier(
        module=LogVariance,
        n_selected_chans=3,
        selection__method="gumbel",
        selection__unique=False,
        max_epochs=4,
        selection__lr=0.5,
        random_state=0,
    )
    return clf.fit(data, data.y)


def test_selected_electrodes_are_filled_and_labelled_at_their_positions(data):
    selector = MutualInformationSelector(2).fit(data, data.y)
    (axes,) = plot_selection(selector).axes
    filled = next(line for line in axes.lines if line.get_markersize() == 9)
    assert_allclose(np.transpose(filled.get_data()), flat_positions(["C3", "C4"]))
    assert [text.get_text() for text in axes.texts] == ["C3", "C4"]
    assert axes.get_title() == "2 of 6 electrodes"


def test_network_shows_the_probabilities_of_its_slots(classifier):
    head, slots, colours = plot_selection(classifier, title="eight electrodes").axes
    (image,) = slots.get_images()
    names = [label.get_text() for label in slots.get_yticklabels()]
    rows = [NAMES.index(name) for name in names]
    assert_allclose(image.get_array(), classifier.selection_probabilities_[rows])
    bold = {
        label.get_text() for label in slots.get_yticklabels() if label.get_fontweight() == "bold"
    }
    assert bold == {NAMES[i] for i in classifier.selected_channels_}
    assert colours.get_ylabel() == "probability"
    assert head.get_title().endswith("of 6 electrodes")


def test_elimination_shows_the_saliency_in_the_order_of_removal(data):
    clf = ModuleClassifier(
        module=LogVariance, n_selected_chans=2, lr=1e-2, max_epochs=8, random_state=0
    ).fit(data, data.y)
    for shown in (clf, NetworkChannelSelector(clf, 2).fit(data, data.y)):
        head, bars = plot_selection(shown).axes
        assert head.get_title() == "2 of 6 electrodes"
        rows = [NAMES.index(label.get_text()) for label in bars.get_yticklabels()]
        assert sorted(rows[:2]) == clf.selected_channels_.tolist()
        assert clf.selection_ranking_[rows].tolist() == [1, 1, 2, 3, 4, 5]
        widths = [bar.get_width() for bar in bars.patches]
        assert_allclose(widths, clf.selection_saliency_[rows])


def test_electrodes_selected_twice_have_their_count(classifier):
    import copy

    import torch

    twice = copy.deepcopy(classifier)
    with torch.no_grad():
        twice.module_.selection.logits[2, :2] += 50
        twice.module_.selection.logits[0, 2] += 50
    head = plot_selection(twice).axes[0]
    assert {text.get_text() for text in head.texts} == {"Cz x2", "Fz"}


def test_names_may_be_given_and_must_fit(classifier):
    X, y = powers()
    nameless = MutualInformationSelector(2).fit(X, y)
    assert plot_selection(nameless, NAMES).axes[0].texts[0].get_text() == "C3"
    with pytest.raises(ValueError, match="without channel names; pass ch_names"):
        plot_selection(nameless)
    with pytest.raises(ValueError, match=r"each of the 6 channels .* got 2 names"):
        plot_selection(nameless, ["C3", "C4"])
    with pytest.raises(ValueError, match="'E1'"):
        plot_selection(nameless, [f"E{i}" for i in range(6)])


def test_only_fitted_estimators_have_something_to_show(classifier):
    with pytest.raises(NotFittedError):
        plot_selection(MutualInformationSelector())
    with pytest.raises(AttributeError, match="uses all channels"):
        plot_selection(ModuleClassifier(module=LogVariance, max_epochs=1).fit(*powers()), NAMES)
