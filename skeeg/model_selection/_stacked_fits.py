"""The fits of a search that are trained together, and the estimator that finds them again."""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Self

import joblib
import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import MetadataRequest, MetadataRouter
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _num_samples

from .._warnings import user_stacklevel
from ._candidate import CandidateFit, load_fit, save_fit
from ._continued import network_of
from ._inner_splits import Splits

#: Argument of `StackedFit.fit`: the indices of the training trials among those of the search.
ROWS = "stacked_rows"

#: Largest number of values in a batch for which networks are stacked on a CPU. They train faster
#: with 4,000 values, and as fast as one by one with 24,000, see ``benchmarks/stacked.py``.
_FEW_VALUES = 2**13

_IS_INVALID = "their parameters or trials are refused, or cannot be compared"


class StackedFit(CandidateFit):
    """An estimator whose `fit` takes what `StackedFits` trained, and is trained itself otherwise.

    Parameters
    ----------
    estimator, folder, candidate
        As of `CandidateFit`.
    """

    def get_metadata_routing(self) -> Any:
        """Return the metadata routing of the estimator, with the argument of `fit`."""
        routing = deepcopy(self.estimator.get_metadata_routing())
        if isinstance(routing, MetadataRouter):
            own = MetadataRequest(owner=self)
            own.fit.add_request(param=ROWS, alias=True)
            return routing.add_self_request(own)
        routing.fit.add_request(param=ROWS, alias=True)
        return routing

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Take the fitted estimator of this candidate and these trials, or fit it."""
        rows = params.pop(ROWS, None)
        found = None if rows is None else self._trained(rows)
        if isinstance(found, Exception):
            raise found
        if found is not None:
            self.estimator = found
        elif y is None:
            self.estimator.fit(X, **params)
        else:
            self.estimator.fit(X, y, **params)
        return self

    def _trained(self, rows: NDArray[np.intp]) -> Any:
        """Return what was trained of this candidate, or None."""
        try:
            path = _path(self.folder, self.candidate or {}, rows)
        except Exception:  # parameters that cannot be pickled, such as a lambda, are not stacked
            return None
        return load_fit(path)


@dataclass
class Report:
    """What a search trained together.

    Attributes
    ----------
    seconds : dict of (int, int) to float
        Of the fits that were trained in a stacked network, by candidate and split: their share in
        the time of the network.
    reasons : dict of (int, int) to str
        Why the other fits are trained one by one.
    """

    seconds: dict[tuple[int, int], float] = field(default_factory=dict)
    reasons: dict[tuple[int, int], str] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether fits are trained one by one for another reason than that they would fail."""
        return any(reason != _IS_INVALID for reason in self.reasons.values())

    @property
    def n_by_reason(self) -> dict[str, int]:
        """Number of the fits that are trained one by one, by the reason, most frequent first."""
        return dict(Counter(self.reasons.values()).most_common())


@dataclass
class _Candidate:
    """A candidate that may be trained together with others."""

    index: int
    estimator: Any


class StackedFits:
    """The fits of a search that are trained together, each of a candidate on a training part.

    Parameters
    ----------
    estimator : estimator
    candidates : sequence of dict
        Parameters of each candidate.
    splits : list of (train, test)
    max_stacked : int
        Largest number of networks that are trained at once.
    everywhere : bool
        Whether to stack also where it is slower.
    n_jobs : int or None
        Number of fits that run in parallel where they are not stacked.
    verbose : int
        From 1 on, the training shows a progress bar.
    """

    def __init__(
        self,
        estimator: Any,
        candidates: Sequence[Mapping[str, Any]],
        splits: Splits,
        *,
        max_stacked: int,
        everywhere: bool,
        n_jobs: int | None,
        verbose: int = 0,
    ) -> None:
        self.estimator, self.candidates, self.splits = estimator, candidates, splits
        self.max_stacked, self.everywhere, self.n_jobs = max_stacked, everywhere, n_jobs
        self.verbose = verbose
        self.report = Report()

    def train(self, X: Any, y: Any, folder: str) -> Report:
        """Train what can be trained together, and write the fitted estimators into a folder.

        Parameters
        ----------
        X, y : array-like
            All trials of the search, and their targets.
        folder : str

        Returns
        -------
        report : Report
        """
        groups: dict[str, list[_Candidate]] = defaultdict(list)
        for index, params in enumerate(self.candidates):
            try:
                estimator = clone(self.estimator).set_params(**clone(params, safe=False))
                reason, key = _obstacle_and_key(estimator)
            except Exception:  # the search raises it again
                reason, key = _IS_INVALID, ""
            if reason is None:
                groups[key].append(_Candidate(index, estimator))
            else:
                self._leave([(index, split) for split in range(len(self.splits))], reason)
        for group in groups.values():
            self._train_group(group, X, y, folder)
        return self.report

    def leave_all(self, reason: str) -> Report:
        """Return the report of a search that trains nothing together."""
        self._leave(product(range(len(self.candidates)), range(len(self.splits))), reason)
        return self.report

    def _leave(self, fits: Iterable[tuple[int, int]], reason: str) -> None:
        self.report.reasons.update(dict.fromkeys(fits, reason))

    def _train_group(self, group: Sequence[_Candidate], X: Any, y: Any, folder: str) -> None:
        fits: dict[tuple[int, int], tuple[Any, Any]] = {}
        for split, (train, _) in enumerate(self.splits):
            try:
                prepared = _prepared(group, *_safe_split(self.estimator, X, y, train))
            except Exception:  # the search raises it again
                self._leave([(candidate.index, split) for candidate in group], _IS_INVALID)
                continue
            fits.update({(index, split): each for index, each in prepared.items()})
        reason = None if self.everywhere else self._why_slower([each for _, each in fits.values()])
        if reason is not None:
            self._leave(fits, reason)
            return
        # The members with one activation follow each other, so that it is called once for them.
        names = sorted(fits, key=lambda name: (_activation(fits[name][1].net), name))
        while names:
            chunk, names = names[: self.max_stacked], names[self.max_stacked :]
            self._train_chunk({name: fits.pop(name) for name in chunk}, _num_samples(X), folder)

    def _train_chunk(
        self, fits: Mapping[tuple[int, int], tuple[Any, Any]], n_trials: int, folder: str
    ) -> None:
        from ..estimators._stacked import train_together

        members = [member for _, member in fits.values()]
        try:
            left, self.max_stacked = train_together(
                members, self.max_stacked, verbose=self.verbose > 0
            )
        except Exception as error:
            if self.everywhere and isinstance(error, RuntimeError):
                raise
            warnings.warn(
                f"{len(members)} fits are trained one by one, since they could not be trained "
                f"together: {error}",
                stacklevel=user_stacklevel(),
            )
            self._leave(fits, "they could not be trained together")
            return
        reasons = {id(member): reason for reason, each in left.items() for member in each}
        rows = np.arange(n_trials)
        for name, (estimator, member) in fits.items():
            if id(member) in reasons:
                self._leave([name], reasons[id(member)])
                continue
            train = np.asarray(self.splits[name[1]][0])
            path = _path(folder, self.candidates[name[0]], rows[train])
            save_fit(path, estimator if member.error is None else member.error)
            self.report.seconds[name] = member.seconds

    def _why_slower(self, members: Sequence[Any]) -> str | None:
        """Return why members are not trained faster together, if they are not."""
        from ..estimators._loaders import batch_size_of

        if len(members) < 2:
            return "no other fit has the architecture"
        net, training = members[0].net, members[0].training
        if not net.device_.startswith("cpu"):
            return None
        if effective_n_jobs(self.n_jobs) > 1:
            return "on the CPU, n_jobs trains them in parallel"
        n_values = batch_size_of(net, training, True) * training.trials[0].numel()
        if n_values > _FEW_VALUES:
            return "on the CPU, a stacked network is slower with batches of this size"
        return None


def _obstacle_and_key(estimator: Any) -> tuple[str | None, str]:
    """Return why an estimator cannot be trained with others, or what these have in common."""
    from ..estimators._stackable import key_of, obstacle_of_parameters

    found = network_of(estimator)
    if found is None:
        return "the estimator is not a network of skeeg, nor a pipeline that ends in one", ""
    prefix, network = found
    if prefix.count("__") > 1:
        return "the network is in a pipeline within a pipeline", ""
    reason = obstacle_of_parameters(network)
    if reason is not None:
        return reason, ""
    network._check_parameters()
    return None, f"{joblib.hash(_steps_before(estimator))} {key_of(network)}"


def _steps_before(estimator: Any) -> list[tuple[str, Any]]:
    return estimator.steps[:-1] if isinstance(estimator, Pipeline) else []


def _prepared(group: Sequence[_Candidate], X: Any, y: Any) -> dict[int, tuple[Any, Any]]:
    """Return the estimator of each candidate, and the member of a stacked training in it.

    Preprocessing, and the checks and the scaling of the trials, are computed once.
    """
    from ..estimators._stacked import Member, learn

    steps = _steps_before(clone(group[0].estimator))
    X = Pipeline(steps).fit_transform(X, y) if steps else X
    network = clone(_required_network(group[0].estimator))
    before = set(vars(network))
    training = learn(network, X, y)
    learnt = {name: value for name, value in vars(network).items() if name not in before}
    prepared = {}
    for candidate in group:
        estimator = clone(candidate.estimator)
        if steps:
            estimator.steps = [*steps, estimator.steps[-1]]
        member_network = _required_network(estimator)
        vars(member_network).update(learnt)
        prepared[candidate.index] = estimator, Member(member_network, training)
    return prepared


def _activation(network: Any) -> str:
    return repr([getattr(network, name, None) for name in ("activation", "alpha")])


def _required_network(estimator: Any) -> Any:
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def _path(folder: str, candidate: Mapping[str, Any], rows: NDArray[np.intp]) -> Path:
    # The bytes are those of a memory map too, which workers get of long arrays.
    names = joblib.hash(dict(candidate)), joblib.hash(np.asarray(rows).tobytes())
    return Path(folder, *names).with_suffix(".pickle")
