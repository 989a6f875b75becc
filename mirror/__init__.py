"""A live try-on mirror: camera -> person -> crop -> fit -> picture -> window, on the CPU, offline."""
