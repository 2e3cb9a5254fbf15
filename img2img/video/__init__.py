"""Films: frame by frame as photos are, with colours that hold still, and all that is not colour kept.

film.py converts one film: reading/ reads it, look.py and planes.py are what a frame is, steady.py smooths in time,
encoding.py compresses, work_folder.py keeps what is done for an interrupted run, and join.py puts the new pictures
beside the film's own sound (copies.py) and all that its file says (kept_metadata.py). animation.py and sequence.py do
the same for GIFs and for numbered pictures. PyAV and OpenCV are imported here only: they come
with the extra `video`.
"""
