"""What a batch remembers of itself, so that the same command goes on where it was stopped."""
