"""A dollar sign in a label or title is text, not the beginning of a formula."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from skeeg import plotting

LABEL = r"$\foo{$ \alpha ^ _"


def figures():
    rng = np.random.default_rng(0)
    x = rng.random(4)
    yield plotting.plot_confusion([LABEL, "b"], ["b", LABEL], classes=[LABEL, "b"], title=LABEL)
    scores = pd.DataFrame(rng.random((4, 2)), columns=[LABEL, "b"])
    yield plotting.plot_scores(scores, LABEL, unit=LABEL, title=LABEL)
    history = pd.DataFrame({"epoch": [1, 2], "train_loss": x[:2]})
    yield plotting.plot_history(history, loss_label=LABEL, title=LABEL)
    yield plotting.plot_predictions(x, x, title=LABEL)
    yield plotting.plot_topographic_map(
        rng.random((2, 3)), ["C3", "Cz", "C4"], bands=[LABEL, "b"], unit=LABEL, title=LABEL
    )
    yield plotting.plot_saliency(
        rng.random((2, 2, 9)), ch_names=[LABEL, "b"], unit=LABEL, title=LABEL
    )


@pytest.mark.parametrize("figure", figures(), ids=lambda figure: type(figure).__name__)
def test_labels_are_drawn_as_they_are(figure):
    figure.savefig(io.BytesIO(), dpi=20)
    shown = [text._preprocess_math(text.get_text()) for text in figure.findobj(Text)]
    assert any(LABEL.split(" ")[0] in text for text, _ in shown)
    assert not any(formula for _, formula in shown)
