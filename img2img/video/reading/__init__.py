"""Where a film's frames come from: a file, or a row of pictures; how far it is read, and what was wrong on the way."""
