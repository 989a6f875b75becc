"""One-euro filter: calm at rest, quick in motion."""

import numpy as np

from mirror.smooth import OneEuro


def test_first_value_and_reset_pass_unchanged():
    smooth = OneEuro(1.0, 0.0)
    assert smooth(np.array([5.0]), 0.0) == 5.0
    smooth(np.array([9.0]), 0.1)
    smooth.reset()
    assert smooth(np.array([2.0]), 0.2) == 2.0


def test_noise_at_rest_shrinks():
    smooth, rng = OneEuro(1.0, 0.0), np.random.default_rng(0)
    values = np.array([smooth(rng.normal(0, 1, 1), i / 30)[0] for i in range(300)])
    assert values[60:].std() < 0.4


def test_fast_motion_is_followed_when_beta_is_high():
    lag = {}
    for beta in (0.0, 20.0):
        smooth = OneEuro(1.0, beta)
        out = [smooth(np.array([10.0 * i / 30]), i / 30)[0] for i in range(60)]
        lag[beta] = 10.0 * 59 / 30 - out[-1]
    assert lag[20.0] < 0.2 * lag[0.0]


def test_a_value_that_is_not_newer_changes_nothing():
    smooth = OneEuro(1.0, 0.0)
    smooth(np.array([1.0]), 1.0)
    assert smooth(np.array([100.0]), 1.0) == 1.0
