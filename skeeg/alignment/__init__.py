"""Alignment of the spatial covariance of subjects, sessions or runs.

Recordings differ in their covariance, by the cap, the impedances and the person. Each transformer
here maps the trials of one domain, for example of one subject, so that its mean covariance becomes
that of the training domains.
"""

from .alignment import EuclideanAlignment, RiemannianAlignment
from .covariance import shrink_covariance, transport_map, whitening_map

__all__ = [
    "EuclideanAlignment",
    "RiemannianAlignment",
    "shrink_covariance",
    "transport_map",
    "whitening_map",
]
