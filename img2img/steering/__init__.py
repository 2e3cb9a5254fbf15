"""A say in the colours: a prior over the color classes, hints at places, suggestions."""
