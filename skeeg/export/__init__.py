"""Files that run a fitted decoder without skeeg: ONNX graphs and programs of ``torch.export``."""

from ._decoder import ExportedDecoder
from ._files import export_onnx, export_torch

__all__ = ["ExportedDecoder", "export_onnx", "export_torch"]
