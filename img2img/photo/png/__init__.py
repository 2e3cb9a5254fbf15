"""16-bit PNG, which Pillow keeps half of."""
