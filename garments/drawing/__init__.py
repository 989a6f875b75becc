"""Draws the garments that ship: cut (outline, landmarks) -> panels -> cloth (fabric, folds) -> picture."""
