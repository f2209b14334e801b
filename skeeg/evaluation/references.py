"""BibTeX entries of the packages, networks and tests of a comparison."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Fields of each entry by its key, after the type of the entry.
ENTRIES: dict[str, tuple[str, dict[str, str]]] = {
    "scikit-learn": (
        "article",
        {
            "author": "Pedregosa, F. and others",
            "title": "Scikit-learn: Machine Learning in {Python}",
            "journal": "Journal of Machine Learning Research",
            "volume": "12",
            "pages": "2825--2830",
            "year": "2011",
        },
    ),
    "mne": (
        "article",
        {
            "author": "Gramfort, A. and others",
            "title": "{MEG} and {EEG} data analysis with {MNE-Python}",
            "journal": "Frontiers in Neuroscience",
            "volume": "7",
            "pages": "267",
            "year": "2013",
            "doi": "10.3389/fnins.2013.00267",
        },
    ),
    "pytorch": (
        "inproceedings",
        {
            "author": "Paszke, A. and others",
            "title": "{PyTorch}: An Imperative Style, High-Performance Deep Learning Library",
            "booktitle": "Advances in Neural Information Processing Systems",
            "volume": "32",
            "pages": "8024--8035",
            "year": "2019",
        },
    ),
    "eegnet": (
        "article",
        {
            "author": "Lawhern, V. J. and Solon, A. J. and Waytowich, N. R. and Gordon, S. M. and "
            "Hung, C. P. and Lance, B. J.",
            "title": "{EEGNet}: a compact convolutional neural network for {EEG}-based "
            "brain-computer interfaces",
            "journal": "Journal of Neural Engineering",
            "volume": "15",
            "number": "5",
            "pages": "056013",
            "year": "2018",
            "doi": "10.1088/1741-2552/aace8c",
        },
    ),
    "convnets": (
        "article",
        {
            "author": "Schirrmeister, R. T. and Springenberg, J. T. and Fiederer, L. D. J. and "
            "Glasstetter, M. and Eggensperger, K. and Tangermann, M. and Hutter, F. and "
            "Burgard, W. and Ball, T.",
            "title": "Deep learning with convolutional neural networks for {EEG} decoding and "
            "visualization",
            "journal": "Human Brain Mapping",
            "volume": "38",
            "number": "11",
            "pages": "5391--5420",
            "year": "2017",
            "doi": "10.1002/hbm.23730",
        },
    ),
    "csp": (
        "article",
        {
            "author": "Blankertz, B. and Tomioka, R. and Lemm, S. and Kawanabe, M. and "
            'M{\\"u}ller, K.-R.',
            "title": "Optimizing spatial filters for robust {EEG} single-trial analysis",
            "journal": "IEEE Signal Processing Magazine",
            "volume": "25",
            "number": "1",
            "pages": "41--56",
            "year": "2008",
            "doi": "10.1109/MSP.2008.4408441",
        },
    ),
    "tangent-space": (
        "article",
        {
            "author": "Barachant, A. and Bonnet, S. and Congedo, M. and Jutten, C.",
            "title": "Multiclass brain-computer interface classification by {Riemannian} geometry",
            "journal": "IEEE Transactions on Biomedical Engineering",
            "volume": "59",
            "number": "4",
            "pages": "920--928",
            "year": "2012",
            "doi": "10.1109/TBME.2011.2172210",
        },
    ),
    "bootstrap": (
        "article",
        {
            "author": "Hesterberg, T. C.",
            "title": "What teachers should know about the bootstrap: resampling in the "
            "undergraduate statistics curriculum",
            "journal": "The American Statistician",
            "volume": "69",
            "number": "4",
            "pages": "371--386",
            "year": "2015",
            "doi": "10.1080/00031305.2015.1089789",
        },
    ),
    "sign-flip": (
        "article",
        {
            "author": "Nichols, T. E. and Holmes, A. P.",
            "title": "Nonparametric permutation tests for functional neuroimaging: a primer with "
            "examples",
            "journal": "Human Brain Mapping",
            "volume": "15",
            "number": "1",
            "pages": "1--25",
            "year": "2002",
            "doi": "10.1002/hbm.1058",
        },
    ),
    "corrected-t": (
        "article",
        {
            "author": "Nadeau, C. and Bengio, Y.",
            "title": "Inference for the generalization error",
            "journal": "Machine Learning",
            "volume": "52",
            "number": "3",
            "pages": "239--281",
            "year": "2003",
            "doi": "10.1023/A:1024068626366",
        },
    ),
    "holm": (
        "article",
        {
            "author": "Holm, S.",
            "title": "A simple sequentially rejective multiple test procedure",
            "journal": "Scandinavian Journal of Statistics",
            "volume": "6",
            "number": "2",
            "pages": "65--70",
            "year": "1979",
        },
    ),
    "hedges": (
        "article",
        {
            "author": "Hedges, L. V.",
            "title": "Distribution theory for {Glass}'s estimator of effect size and related "
            "estimators",
            "journal": "Journal of Educational Statistics",
            "volume": "6",
            "number": "2",
            "pages": "107--128",
            "year": "1981",
            "doi": "10.3102/10769986006002107",
        },
    ),
}

#: Names of classes in the representation of an estimator, and the entry of their paper.
_METHODS = {
    r"EEGNet(Classifier|Regressor)": "eegnet",
    r"(Shallow|Deep)ConvNet(Classifier|Regressor)": "convnets",
    r"CSP": "csp",
    r"TangentSpace": "tangent-space",
}


def method_references(representation: str) -> list[str]:
    """Return the keys of the papers of an estimator.

    Parameters
    ----------
    representation : str
        Representation of the estimator.

    Returns
    -------
    keys : list of str
        Empty if none of its methods has an entry.
    """
    return [key for name, key in _METHODS.items() if re.search(rf"\b{name}\(", representation)]


def bibtex(keys: Iterable[str], version: str) -> str:
    """Return BibTeX entries.

    Parameters
    ----------
    keys : iterable of str
        Keys of `ENTRIES`, or ``"skeeg"``.
    version : str
        Version of skeeg.

    Returns
    -------
    text : str
    """
    skeeg = (
        "misc",
        {
            "author": "{The skeeg developers}",
            "title": "skeeg: {EEG} decoding with deep networks",
            "note": f"Version {version}",
        },
    )
    entries = ENTRIES | {"skeeg": skeeg}
    texts = []
    for key in keys:
        kind, fields = entries[key]
        lines = [f"  {field} = {{{value}}}," for field, value in fields.items()]
        texts.append("\n".join([f"@{kind}{{{key},", *lines, "}"]))
    return "\n\n".join(texts) + "\n"
