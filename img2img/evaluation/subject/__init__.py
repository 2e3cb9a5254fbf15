"""Where the subject of a picture is, and how much a translator changes around it."""
