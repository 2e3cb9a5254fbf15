"""Training pictures in pairs: two sets matched by name, or one of pictures side by side. `matching` needs no torch."""
