"""What time, old film and bad scans do to a grey photo, made to train colorizers on what users bring."""
