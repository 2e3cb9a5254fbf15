"""The networks: plain modules that know their shapes and nothing of recipes, data or training."""
