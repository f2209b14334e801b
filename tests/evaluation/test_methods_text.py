"""The methods paragraph says what was done, and BibTeX has an entry for each citation."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

import skeeg
from skeeg import EEGData, baselines
from skeeg.evaluation.references import ENTRIES, bibtex, method_references


@pytest.fixture(scope="module")
def comparison():
    rng = np.random.default_rng(0)
    data = EEGData.from_arrays(
        rng.standard_normal((60, 3, 32)), ["left_hand", "right"] * 30, 16,
        subject=np.repeat(np.arange(5), 12), session=np.tile(np.repeat([0, 1], 6), 5),
    )  # fmt: skip
    estimators = {"CSP_1": baselines.csp_lda(n_components=2), "guess": DummyClassifier()}
    return skeeg.compare(estimators, data, cv="cross-session", random_state=7, progress=False)


def test_the_paragraph_has_data_protocol_tests_and_versions(comparison):
    text = comparison.methods_text()
    for part in (
        "60 trials of 3 channels and 32 samples at 16 Hz, from 5 subjects",
        r"left\_hand: 30, right: 30",
        r"CSP\_1 [@csp], guess",
        "cross-session, with 10 folds",
        "from the seed 7",
        "over 5 subjects",
        "sign-flip permutation test over subjects [@sign-flip]",
        f"skeeg {skeeg.__version__} [@skeeg]",
    ):
        assert part in text
    assert "torch" not in text  # no network was trained


def test_every_citation_has_an_entry_and_every_entry_is_cited(comparison):
    cited = set(re.findall(r"@([\w-]+)", comparison.methods_text()))
    in_latex = re.findall(r"\\cite\{(.+?)\}", comparison.methods_text(style="latex"))
    entries = re.findall(r"^@\w+\{([\w-]+),$", comparison.bibtex(), re.MULTILINE)
    assert cited == {key for keys in in_latex for key in keys.split(",")} == set(entries)
    assert r"left\_hand" in comparison.methods_text(style="latex")
    with pytest.raises(ValueError, match="style must be one of markdown, latex, got 'word'"):
        comparison.methods_text(style="word")


def test_entries_are_balanced_and_complete():
    for key, (_, fields) in ENTRIES.items():
        assert {"author", "title", "year"} <= set(fields), key
        text = bibtex([key], "1")
        assert text.count("{") == text.count("}")


@pytest.mark.parametrize(
    ("representation", "keys"),
    [
        ("EEGNetClassifier(max_epochs=3)", ["eegnet"]),
        ("Pipeline(steps=[('csp', CSP()), ('net', DeepConvNetClassifier())])", ["convnets", "csp"]),
        ("FBCSPNet()", []),
        ("SVC()", []),
    ],
)
def test_methods_are_recognised_by_their_class(representation, keys):
    assert method_references(representation) == keys
