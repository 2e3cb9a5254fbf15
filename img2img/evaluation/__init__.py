"""How good a model is, in numbers that can be printed again."""
