"""Smaller and faster networks: pruning, quantisation."""
