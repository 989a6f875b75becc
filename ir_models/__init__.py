"""The networks as they run (default/) and the workshop that makes them (torch; the `workshop` extra)."""
