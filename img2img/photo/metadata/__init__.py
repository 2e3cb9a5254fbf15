"""What a photo carries beside its pixels: EXIF, colour profiles, and the directories both lie in."""
