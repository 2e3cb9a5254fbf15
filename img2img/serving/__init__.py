"""The page and the HTTP API of `img2img serve`, on what converts photos for the command line."""
