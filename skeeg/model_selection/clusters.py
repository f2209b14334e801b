"""Computation on a Dask cluster that continues if workers are lost."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from joblib import parallel_config
from joblib.parallel import get_active_backend

#: Setting of Dask: the size from which it warns about data in a task, in bytes.
_LARGE_GRAPH_WARNING = "distributed.admin.large-graph-warning-threshold"


@contextmanager
def dask_backend(cluster: Any) -> Iterator[Any]:
    """Let everything that uses joblib run on a Dask cluster, and continue if workers are lost.

    Inside this context, `skeeg.compare` and scikit-learn's searches and cross-validation use all
    workers, whatever ``n_jobs`` is. The data are sent to the cluster once, not with every task.

    Parameters
    ----------
    cluster : str, distributed.Client or cluster of Dask
        Address of a scheduler, such as ``"tcp://10.0.0.1:8786"``, a client, or a cluster such as
        ``distributed.LocalCluster`` or ``dask_jobqueue.SLURMCluster``. A client is left open.

    Yields
    ------
    client : distributed.Client

    Raises
    ------
    ImportError
        If Dask is not installed.
    OSError
        If there is no scheduler at the address.
    RuntimeError
        If a task was lost with its worker four times, as with too little memory.

    Notes
    -----
    ``joblib.parallel_config(backend="dask")`` by itself sends arguments of more than 1 kB, such as
    the indices of the training trials, to one worker each. If that worker is lost, scikit-learn's
    searches fail with a ``FutureCancelledError``. Here these arguments are results of tasks, so
    that the scheduler can send them again. It therefore needs memory for a copy of the data.

    `skeeg.compare` does the same under ``joblib.parallel_config(backend="dask")``.

    Examples
    --------
    >>> from distributed import LocalCluster
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.model_selection import cross_val_score
    >>> from skeeg.model_selection import dask_backend
    >>> with (
    ...     LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as cluster,
    ...     dask_backend(cluster),
    ... ):
    ...     cross_val_score(DummyClassifier(), [[0.0]] * 4, [0, 1, 0, 1], cv=2)
    array([0.5, 0.5])
    """
    try:
        import distributed
    except ImportError as error:
        raise ImportError(
            "A Dask cluster needs the package distributed. Install it with pip install "
            "'skeeg[dask]'."
        ) from error
    with ExitStack() as stack:
        if isinstance(cluster, (distributed.Client, _Recoverable)):
            client = cluster
        else:
            client = stack.enter_context(distributed.Client(cluster))
        stack.enter_context(parallel_config(backend="dask", client=_Recoverable(client)))
        try:
            yield client
        except distributed.KilledWorker as error:
            raise RuntimeError(
                f"{error} Workers are killed if they need more memory than they have. Start them "
                "with more memory or fewer threads."
            ) from error


def active_dask_client() -> Any:
    """Return the client of the cluster on which joblib runs, or None if it runs elsewhere.

    Returns
    -------
    client : distributed.Client or None
    """
    joblib_dask = sys.modules.get("joblib._dask")  # loaded when the backend is chosen
    backend, _ = get_active_backend()
    is_dask = joblib_dask is not None and isinstance(backend, joblib_dask.DaskDistributedBackend)
    return backend.client if is_dask else None


class _Recoverable:
    """A client of Dask whose scattered data are results of tasks, which Dask can repeat.

    Data that ``Client.scatter`` sends exist only in the memory of workers.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def scatter(self, data: Any, **options: Any) -> Any:
        """Return a future of the data; joblib awaits it and passes options of Dask."""
        import dask

        with dask.config.set({_LARGE_GRAPH_WARNING: sys.maxsize}):
            return self._client.submit(_unchanged, data, key=f"skeeg-data-{uuid.uuid4().hex}")


def _unchanged(data: Any) -> Any:
    return data
