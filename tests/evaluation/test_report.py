"""The report is one HTML file that holds what was found and how."""

from __future__ import annotations

import re

import numpy as np
import pytest
from mne.decoding import Vectorizer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline

import skeeg
from skeeg import EEGData, compare


@pytest.fixture(scope="module")
def comparison():
    rng = np.random.default_rng(0)
    data = EEGData.from_arrays(
        rng.standard_normal((48, 2, 8)), ["left", "right"] * 24, 8, ["C3", "C4"],
        subject=np.repeat([1, 2], 24), run=np.tile(np.repeat([0, 1], 12), 2),
    )  # fmt: skip
    estimators = {
        "lda": make_pipeline(Vectorizer(), LinearDiscriminantAnalysis()),
        "<b>guess</b>": DummyClassifier(strategy="stratified"),
    }
    return compare(estimators, data, random_state=11, progress=False)


@pytest.fixture(scope="module")
def page(comparison, tmp_path_factory):
    path = comparison.report(tmp_path_factory.mktemp("report") / "report.html")
    return path.read_text(encoding="utf-8")


def test_the_report_holds_scores_protocol_data_seed_and_versions(comparison, page):
    summary = comparison.summary()
    for name in summary.index:
        assert f"{summary.loc[name, 'mean']:.3f}" in page
    for text in (
        "within-subject",
        "none found",
        "C3, C4",
        "left: 24, right: 24",
        skeeg.__version__,
    ):
        assert text in page
    assert re.search(r"<th>random state</th>\s*<td>11</td>", page)
    assert comparison.about.data["sha256"] in page
    assert "LinearDiscriminantAnalysis()" in page


def test_the_report_embeds_its_figures(page):
    # four metrics and two confusion matrices
    assert len(re.findall(r"data:image/(?:png|webp);base64", page)) >= 6
    assert 'src="http' not in page


def test_names_are_text_never_markup(page):
    assert "<b>guess</b>" not in page
    assert "&lt;b&gt;guess&lt;/b&gt;" in page


def test_a_report_is_html_or_refused(comparison, tmp_path):
    with pytest.raises(ValueError, match=r"is an \.html file, got"):
        comparison.report(tmp_path / "report.pdf")
    assert not list(tmp_path.iterdir())


def test_an_old_report_is_replaced(comparison, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    comparison.report(path)
    assert "within-subject" in path.read_text(encoding="utf-8")
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
