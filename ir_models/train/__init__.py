"""Training of the two networks: `python -m ir_models train cwm|igm --data DIR --minutes M --out FILE`."""
