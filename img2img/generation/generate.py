"""`img2img generate`: what was asked for, drawn and written."""

from __future__ import annotations

from pathlib import Path

from img2img.atomic_file import check_target, reason_for
from img2img.errors import UnreadablePhoto, UsageError
from img2img.generation.class_folders import write_class_folders
from img2img.generation.drawing import check_condition, check_drawing_size, draw_sequences, offset_of, sample_count
from img2img.generation.picture_file import ANIMATED, STILL, write_animation, write_picture
from img2img.generation.request import DrawingRequest
from img2img.generation.walk import loop_order
from img2img.inference.grid import columns_for, enlarge, tile
from img2img.inference.run_model import names_a_run
from img2img.inference.sampler import Pictures, Sampler
from img2img.photo.metadata.provenance import GENERATED, Provenance


def generate(request: DrawingRequest) -> str:
    """Draw and write what is asked for; returns a line that says what is now where."""
    request.check()
    _check_files(request)
    sampler = Sampler(request.model, device=request.device)
    check_condition(request, sampler)
    if request.per_class is not None:
        return _class_folders(request, sampler)
    moving = request.is_path or sampler.frames > 0
    target = request.target or Path("samples.gif" if moving else "samples.png")
    suffix = target.suffix.lower()
    if suffix not in STILL and not moving:
        raise UsageError(f"-o {target}: these pictures stand still: name a .png, or add --interpolate or --sweep")
    animated = moving and suffix in ANIMATED
    if request.columns and moving and not animated:
        raise UsageError(f"-o {target}: in a strip a column is a frame: leave --columns out")
    check_drawing_size(request, sampler, animated=animated)
    check_target(target, overwrite=request.overwrite)
    sequences = enlarge(draw_sequences(request, sampler, animated=animated), request.scale)
    columns, made = _columns(request, sampler, len(sequences)), _provenance(request, sampler)
    _write(sequences, target, columns, made, animated=animated, loop=not sampler.frames)
    return _summary(sequences, sampler, target)


def _check_files(request: DrawingRequest) -> None:
    """Before the model is opened, which takes a while where it is a run's, and not exported yet."""
    if request.target and request.per_class is None:
        check_target(request.target, overwrite=request.overwrite)
    if request.like and names_a_run(request.model):
        try:
            request.like.stat()
        except OSError as error:
            raise UnreadablePhoto(f"{request.like}: {reason_for(error, 'read')}") from None


def _provenance(request: DrawingRequest, sampler: Sampler) -> Provenance | None:
    """What the pictures are to say of themselves."""
    if not request.provenance:
        return None
    return Provenance.of_ours(GENERATED, sampler.card.name, sampler.card.sha256, request.shaped_by())


def _write(
    sequences: Pictures, target: Path, columns: int, made: Provenance | None, *, animated: bool, loop: bool
) -> None:
    """(K, T, h, w, C): side by side in an animation, each a row of a strip, or a grid where T is 1."""
    length = sequences.shape[1]
    if animated:
        order = loop_order(length) if loop else range(length)
        write_animation([tile(sequences[:, frame], columns) for frame in order], target, made)
    else:
        pictures = sequences.reshape(-1, *sequences.shape[2:])
        write_picture(tile(pictures, columns if length == 1 else length), target, made)


def _columns(request: DrawingRequest, sampler: Sampler, count: int) -> int:
    if request.columns:
        return request.columns
    if sampler.frames and request.is_path:
        return count // sample_count(request, sampler)
    return columns_for(count, 0 if request.label is not None else len(sampler.classes))


def _class_folders(request: DrawingRequest, sampler: Sampler) -> str:
    assert request.per_class is not None
    assert request.target is not None
    if not sampler.classes:
        raise UsageError(f"{sampler.source}: was trained without classes, so it has none to write: use -n for a grid")
    if sampler.frames:
        raise UsageError(f"{sampler.source}: draws videos, and an ImageFolder holds pictures")
    labels = range(len(sampler.classes)) if request.label is None else [sampler.label_index(request.label)]
    written = write_class_folders(
        sampler,
        request.target,
        labels,
        request.per_class,
        seed=request.seed or 0,
        truncation=request.truncation,
        offset=offset_of(request, sampler),
        provenance=_provenance(request, sampler),
        overwrite=request.overwrite,
    )
    kept = len(labels) * request.per_class - written
    return f"{request.target}: {written} pictures written" + (f", {kept} were there already" if kept else "")


def _summary(sequences: Pictures, sampler: Sampler, target: Path) -> str:
    count, length = sequences.shape[:2]
    kind, steps = ("video", "frames") if sampler.frames else ("walk", "steps")
    drawn = f"{count} picture" if length == 1 else f"{count} {kind}"
    of_length = "" if length == 1 else f" of {length} {steps}"
    return f"{target}: {drawn}{'s' * (count != 1)}{of_length}, {sampler.size} x {sampler.size} px"
