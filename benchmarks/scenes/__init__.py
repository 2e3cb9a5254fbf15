"""What benchmarks are measured on where the truth must be known: drawn scenes, and clips of a camera that moves."""
