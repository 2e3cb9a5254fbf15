"""Networks that know ImageNet: an encoder to go on from, its features as a measure, and where a subject is."""
