"""Execution of jobs in parallel, on one machine or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TypeVar

from joblib import Parallel, delayed

from .._labelled import LabelledRows
from .fold import Job

Result = TypeVar("Result")


def run_jobs(
    function: Callable[[Job, LabelledRows], Result],
    jobs: Mapping[int, Job],
    data: LabelledRows,
    n_jobs: int | None,
) -> Generator[tuple[int, Result], None, None]:
    """Return a generator of the results of jobs, as they finish.

    Parameters
    ----------
    function : callable
        Function of a job and the data.
    jobs : mapping of int to Job
    data : EEGData or FeatureTable
        The data, an argument of its own, so that joblib writes its array into a file that all
        processes map into memory.
    n_jobs : int, optional
        Number of jobs that run in parallel, as in joblib.

    Returns
    -------
    results : generator of (int, result)
        The key of each job and its result. Closing the generator stops the jobs.
    """
    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    return parallel(delayed(_numbered)(function, i, job, data) for i, job in jobs.items())


def _numbered(
    function: Callable[[Job, LabelledRows], Result], i: int, job: Job, data: LabelledRows
) -> tuple[int, Result]:
    return i, function(job, data)
