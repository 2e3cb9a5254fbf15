"""Before a training: fetch a public data set, look through one's own. No torch."""
