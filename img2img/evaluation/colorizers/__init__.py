"""Photos whose colours are known, beside what a colorizer makes of their greys."""
