"""Models that a user adds to those at hand, and removes again. Nothing of them is run."""
