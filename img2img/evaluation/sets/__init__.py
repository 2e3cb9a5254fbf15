"""Sets of pictures, compared by features: how far what a model makes is from what is real."""
