"""The other sides of comparisons, each run as a process of its own."""
