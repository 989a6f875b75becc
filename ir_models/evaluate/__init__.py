"""Figures of the networks on held-out people: `python -m ir_models evaluate --json FILE`."""
