"""The options that colorize and translate share, and those of colours."""

OPTIONS = [
    "--output",
    "-o",
    "--model",
    "--format",
    "--quality",
    "--overwrite",
    "--no-recursive",
    "--device",
    "--runtime",
    "--jobs",
    "--report",
    "--journal",
    "--on-error",
    "--watch",
    "--from-file",
    "--engine",
    "--address",
    "--max-pixels",
    "--first-frame",
    "--quiet",
]
COLOUR_OPTIONS = [
    "--strength",
    "--reference",
    "--influence",
    "--palette",
    "--warmth",
    "--hint",
    "--hints",
]
