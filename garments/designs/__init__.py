"""The garments that ship, one Design each."""

from garments.designs.collared import collared
from garments.designs.cottons import long_sleeves, tanks, tees
from garments.designs.design import Design
from garments.designs.warm import hoodies, jumpers

CATALOGUE: tuple[Design, ...] = (*tees(), *long_sleeves(), *tanks(), *collared(), *jumpers(), *hoodies())
