"""Recurrent layers in NumPy, from their weights and an input to the states of all steps."""

from __future__ import annotations

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def run_lstm(x, w, v, b, c):
    """LSTM over (batch, step, input); gates in the order input, forget, cell, output."""
    h = memory = np.zeros((len(x), v.shape[1]))
    steps = []
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ w.T + b + h @ v.T + c, 4, axis=1)
        memory = sigmoid(f) * memory + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(memory)
        steps.append(h)
    return np.stack(steps, axis=1)


def run_gru(x, w, v, b, c):
    """GRU over (batch, step, input); gates in the order reset, update, new."""
    h = np.zeros((len(x), v.shape[1]))
    steps = []
    for t in range(x.shape[1]):
        xr, xz, xn = np.split(x[:, t] @ w.T + b, 3, axis=1)
        hr, hz, hn = np.split(h @ v.T + c, 3, axis=1)
        z = sigmoid(xz + hz)
        h = (1 - z) * np.tanh(xn + sigmoid(xr + hr) * hn) + z * h
        steps.append(h)
    return np.stack(steps, axis=1)
