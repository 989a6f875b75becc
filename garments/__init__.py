"""The wardrobe: a folder per garment, and what draws the ones that ship."""
