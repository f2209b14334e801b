"""Exported files compute what the estimators predict, for any number of trials."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from skeeg.export import export_onnx, export_torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "estimators"))
