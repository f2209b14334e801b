"""Warnings point at the line of the user."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skeeg import ShallowConvNetClassifier
from skeeg.networks import ShallowConvNet

CLF = ShallowConvNetClassifier(max_epochs=1, random_state=0)
X = np.random.default_rng(0).standard_normal((24, 2, 40))
Y = np.arange(24) % 2


@pytest.mark.parametrize(
    "run",
    [
        lambda: ShallowConvNet(2, 40, 2),
        lambda: CLF.fit(X, Y),
        lambda: make_pipeline(FunctionTransformer(), CLF).fit(X, Y),
        lambda: cross_validate(CLF, X, Y, cv=2),
    ],
    ids=["network", "estimator", "pipeline", "cross-validation"],
)
def test_clipped_lengths_are_reported_at_the_line_of_the_user(run):
    with pytest.warns(UserWarning, match="the length is clipped") as caught:
        run()
    assert {Path(warning.filename) for warning in caught} == {Path(__file__)}


def test_too_large_a_batch_is_reported_at_the_line_of_the_user():
    long = np.tile(X, 4)
    with pytest.warns(UserWarning, match="batch_size 50 is larger than the 24") as caught:
        ShallowConvNetClassifier(max_epochs=1, batch_size=50).fit(long, Y)
    assert [Path(warning.filename) for warning in caught] == [Path(__file__)]
