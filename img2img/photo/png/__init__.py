"""PNG: its picture through Pillow, all else by hand: Pillow refuses photos for their text and halves 16 bits."""
