"""How many modes of a distribution a generator covers: the games, the counts and the picture of modes.py."""
