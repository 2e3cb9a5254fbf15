"""TIFF files, of which Pillow reads and writes a part."""
