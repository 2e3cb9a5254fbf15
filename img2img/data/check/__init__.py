"""A look through one's own training data, before a training. No torch."""
