"""The report is one HTML file that holds what was found and how."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from mne.decoding import Vectorizer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import skeeg
from skeeg import EEGData, compare
from skeeg.evaluation.repeat import full_text


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
    assert re.search(r"<th>Random state</th>\s*<td>11;", page)
    assert comparison.about.data["sha256"] in page
    assert "LinearDiscriminantAnalysis()" in page


def test_the_report_embeds_its_figures(page):
    # four metrics, the scores of each fold, and two confusion matrices
    assert len(re.findall(r"data:image/png;base64", page)) == 7
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


def test_the_summary_comes_first_with_verdict_and_table(comparison, page):
    head = page[page.index("<header") : page.index("</header>")]
    best = comparison.statistics().iloc[0]
    assert f"{best['mean']:.3f}" in head
    assert "No leakage found" in head
    assert "Which of 2 estimators predicts left or right best?" in head
    assert "48 trials, 2 subjects" in head
    assert "2 channels, 8 samples at 8 Hz (1 s)" in head
    assert "Hedges&#39; g" in head
    assert 'id="repeat"' not in head


def test_it_has_every_parameter_the_call_and_all_versions(comparison, page):
    assert comparison.about.parameters["lda"]["lineardiscriminantanalysis__solver"] == "'svd'"
    assert "<th>lineardiscriminantanalysis__tol</th><td>0.0001</td>" in page
    call = comparison.about.repeat
    assert "random_state=11" in call
    assert "cv=&#39;within-subject&#39;" in page
    compile(call, "call", "exec")
    assert f"pandas {pd.__version__}" in page


def test_representations_are_not_shortened(comparison):
    steps = [DummyClassifier(constant=f"{i:060d}") for i in range(20)]
    text = full_text(make_pipeline(*[FunctionTransformer(kw_args={"a": s}) for s in steps]))
    assert all(step.constant in text for step in steps)
    assert "..." not in text


def test_windows_and_trials_are_told_apart(tmp_path):
    rng = np.random.default_rng(0)
    data = EEGData.from_arrays(
        rng.standard_normal((36, 2, 8)), np.repeat(["rest", "task"] * 6, 3), 8,
        trial=np.repeat(np.arange(12), 3),
    )  # fmt: skip
    cv = StratifiedGroupKFold(2)
    windows = compare({"guess": DummyClassifier()}, data, cv=cv, groups="trial",
                      random_state=0, progress=False)  # fmt: skip
    assert windows.about.data["n_trials"] == 36
    assert windows.about.data["n_whole_trials"] == 12
    page = windows.report(tmp_path / "windows.html", question="Is it <real>?").read_text("utf-8")
    assert "36 windows of 12 trials" in page
    assert "36 windows of 12 trials" in windows.methods_text()
    assert "<h1>Is it &lt;real&gt;?</h1>" in page


def test_leakage_is_marked_at_the_top(tmp_path):
    rng = np.random.default_rng(0)
    data = EEGData.from_arrays(
        rng.standard_normal((36, 2, 8)), np.repeat(["rest", "task"] * 6, 3), 8,
        trial=np.repeat(np.arange(12), 3),
    )  # fmt: skip
    cv = StratifiedKFold(2, shuffle=True, random_state=0)
    leaking = compare({"guess": DummyClassifier()}, data, cv=cv, allow_leakage=True,
                      random_state=0, progress=False)  # fmt: skip
    page = leaking.report(tmp_path / "leak.html").read_text("utf-8")
    head = page[page.index("<header") : page.index("</header>")]
    assert 'class="verdict bad"' in head
    assert "leakage allowed" in head
    assert "No leakage found" not in page


def test_a_comparison_is_a_table_in_notebooks(comparison):
    html = comparison._repr_html_()
    assert html.startswith("<table>")
    assert "&lt;b&gt;guess&lt;/b&gt;" in html
    for mean in comparison.statistics()["mean"]:
        assert f"{mean:.3f}" in html


def test_figures_for_papers_have_the_width_and_the_fonts(comparison, tmp_path):
    comparison.save_figures(tmp_path, width=89)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"scores_accuracy.pdf", "scores_accuracy.svg", "scores_accuracy.png"} <= names
    assert "confusion__b_guess__b_.pdf" in names
    pdf = (tmp_path / "scores_accuracy.pdf").read_bytes()
    assert b"/Subtype /Type0" in pdf or b"/TrueType" in pdf
    assert b"/Type3" not in pdf
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+)", pdf)
    assert float(box[1]) / 72 * 25.4 == pytest.approx(89, abs=0.1)
    svg = (tmp_path / "scores_accuracy.svg").read_text("utf-8")
    assert "<text" not in svg  # letters are outlines
    png = (tmp_path / "scores_accuracy.png").read_bytes()
    assert int.from_bytes(png[16:20]) == int(89 / 25.4 * 300)


def test_figures_are_in_the_order_of_the_table(comparison):
    (axes,) = comparison.plot_scores().axes
    ranked = comparison.statistics().index.tolist()
    assert [label.get_text() for label in axes.get_yticklabels()] == ranked
    confused = [name for kind, name, _ in comparison.figures() if kind == "confusion"]
    assert confused == ranked


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"formats": ["eps"]}, "must be one of pdf, svg, png, got 'eps'"),
        ({"formats": "pdf"}, "must be a list"),
        ({"width": 3.5}, "from 60 to 500 mm"),
    ],
)
def test_other_formats_and_widths_are_refused(comparison, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        comparison.save_figures(tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()
