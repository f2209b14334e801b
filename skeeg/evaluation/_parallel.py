"""Execution of jobs in parallel, on one machine or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TypeVar

from joblib import Parallel, delayed

from .._labelled import LabelledRows
from ..model_selection.clusters import active_dask_client, dask_backend
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
        The data. On one machine, joblib writes their array to a file that all processes map into
        memory. On a Dask cluster, each worker receives them once.
    n_jobs : int, optional
        Number of jobs that run in parallel, as in joblib. On a Dask cluster all its threads are
        used.

    Returns
    -------
    results : generator of (int, result)
        The key of each job and its result. Closing the generator stops the jobs.
    """
    cluster = active_dask_client()
    if cluster is None:
        parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    else:
        # By default, joblib submits two jobs for each thread that the cluster has now. Workers that
        # join later would get none.
        with dask_backend(cluster):
            parallel = Parallel(return_as="generator_unordered", pre_dispatch="all")
    return parallel(delayed(_numbered)(function, i, job, data) for i, job in jobs.items())


def _numbered(
    function: Callable[[Job, LabelledRows], Result], i: int, job: Job, data: LabelledRows
) -> tuple[int, Result]:
    return i, function(job, data)
