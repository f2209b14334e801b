"""Files of fitted estimators that hold no code: `save`, `load` and the model card."""

from ._card import ModelCard
from ._files import load, read_card, save

__all__ = ["ModelCard", "load", "read_card", "save"]
