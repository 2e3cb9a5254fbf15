"""Other people's checkpoints become model files: read without running anything, recognised by names and shapes."""
