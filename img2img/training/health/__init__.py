"""How a training is doing: what is measured, what it is a sign of, and what to do about it."""
