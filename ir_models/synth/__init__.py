"""Training data made here: people, garments, exact flow. `python -m ir_models synth --help`."""
