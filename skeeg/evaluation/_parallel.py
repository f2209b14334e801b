"""Execution of jobs in parallel, on one machine or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TypeVar

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

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
    """Yield the results of jobs, as they finish.

    A job uses one thread of BLAS and of OpenMP, wherever it runs. Sums that are split over another
    number of threads differ in their last bit. On a busy machine, threads that wait for each other
    also take longer than a single one.

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

    Yields
    ------
    i, result : (int, object)
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
    # Jobs that run as threads of this process share BLAS. The limit of a single one would end with
    # the first of them that finishes.
    with threadpool_limits(1, user_api="blas"):
        yield from parallel(delayed(_numbered)(function, i, job, data) for i, job in jobs.items())


def _numbered(
    function: Callable[[Job, LabelledRows], Result], i: int, job: Job, data: LabelledRows
) -> tuple[int, Result]:
    with threadpool_limits(1):
        return i, function(job, data)
