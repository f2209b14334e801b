"""Decode EEG while it is recorded, from chunks of any length.

`StreamingDecoder` filters the signal causally, cuts overlapping windows and predicts each of them;
`decode_lsl` and `replay` feed it from a stream of the Lab Streaming Layer and from a file.
"""

from ._decision import Decision
from ._decoder import StreamingDecoder
from ._filter import filter_causally
from ._sources import decode_lsl, replay

__all__ = ["Decision", "StreamingDecoder", "decode_lsl", "filter_causally", "replay"]
