"""Training: one loop for every recipe, its data, and the state that lets it go on where it stopped."""
