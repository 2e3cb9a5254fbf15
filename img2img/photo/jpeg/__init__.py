"""JPEG: its markers, what its file holds, and whether it is whole."""
