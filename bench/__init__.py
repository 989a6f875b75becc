"""Figures: speed, steadiness, quality. Writes tables and pictures; asserts nothing."""
