"""Smoothing that adapts to speed: still things stay still, moving things do not lag."""

from __future__ import annotations

import math

import numpy as np


class OneEuro:
    """The one-euro filter (Casiez, Roussel, Vogel, CHI 2012) on an array of any shape.

    min_cutoff_hz: how much a still signal is smoothed (lower is calmer). beta: how fast the cut-off rises with speed,
    per unit of the signal and second. d_cutoff_hz: smoothing of the speed itself. Time is passed in, in seconds.
    """

    def __init__(self, min_cutoff_hz: float, beta: float, d_cutoff_hz: float = 1.0) -> None:
        self.min_cutoff_hz, self.beta, self.d_cutoff_hz = min_cutoff_hz, beta, d_cutoff_hz
        self._value: np.ndarray | None = None
        self._speed: np.ndarray | None = None
        self._t = 0.0

    def reset(self) -> None:
        """Forget the past: the next value passes unchanged."""
        self._value = None

    def __call__(self, value: np.ndarray, t: float) -> np.ndarray:
        """The smoothed value at time t; a value not newer than the last one returns the last result."""
        if self._value is None or self._speed is None or self._value.shape != value.shape:
            self._value, self._speed, self._t = value.copy(), np.zeros_like(value), t
            return value
        dt = t - self._t
        if dt <= 0:
            return self._value
        speed = (value - self._value) / dt
        self._speed = self._speed + _gain(self.d_cutoff_hz, dt) * (speed - self._speed)
        cutoff = self.min_cutoff_hz + self.beta * np.abs(self._speed)
        self._value = self._value + _gain(cutoff, dt) * (value - self._value)
        self._t = t
        return self._value


def _gain(cutoff_hz, dt: float):
    """Share of the new value in a first-order low-pass of that cut-off (Hz) after dt seconds."""
    tau = 1.0 / (2.0 * math.pi * cutoff_hz)
    return 1.0 / (1.0 + tau / dt)
