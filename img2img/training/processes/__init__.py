"""Several processes that train one model as one would."""
