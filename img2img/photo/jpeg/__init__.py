"""JPEG: how one was encoded, what its file holds, and whether it is whole."""
