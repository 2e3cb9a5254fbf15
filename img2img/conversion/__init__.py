"""Converting whatever was named: a photo, a folder, an archive, a film."""
