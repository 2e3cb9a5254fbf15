"""Many photos: which file becomes which (plan), the work itself (run), and what came of it (report)."""
