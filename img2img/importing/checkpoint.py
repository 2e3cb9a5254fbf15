"""A stranger's checkpoint read as tensors and no more: no code in it runs, and no small file becomes a huge one."""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import torch
from torch import Tensor

from img2img.atomic_file import is_file, is_folder, reason_for
from img2img.errors import ModelError
from img2img.inference.runtimes.runtime import error_line
from img2img.recipes.weights import load_weights

Tensors = dict[str, Tensor]
WRAPPERS = ("module.", "_orig_mod.")
"""What training on several GPUs and `torch.compile` put in front of every name."""
COUNTER = ".num_batches_tracked"


def read_checkpoint(path: Path) -> Tensors:
    """A file of named tensors, finite, in float32: PyTorch's, in its zip or its older format, or .safetensors.

    Raises ModelError for all else, in one line.
    """
    _check_file(path)
    content = load_weights(path) if path.suffix.lower() == ".safetensors" else _load(path)
    tensors = _named_tensors(content, path)
    if sum(one.numel() * one.element_size() for one in tensors.values()) > path.stat().st_size:
        raise ModelError(f"{path}: its tensors claim to be larger than the file: not a checkpoint as PyTorch writes it")
    tensors = {name: one.float() for name, one in _unwrapped(tensors).items() if not name.endswith(COUNTER)}
    for name, one in tensors.items():
        if not one.isfinite().all():
            raise ModelError(f"{path}: {name} holds values that are not finite: a training that failed, or damage")
    return tensors


def _check_file(path: Path) -> None:
    if not is_file(path):
        what = "a folder: give the file in it, such as latest_net_G.pth" if is_folder(path) else "no such file"
        raise ModelError(f"{path}: {what}")
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise ModelError(f"{path}: {reason_for(error, 'read')}") from None
    if not start:
        raise ModelError(f"{path}: is empty, so not a checkpoint")
    if start == b"PK\3\4":
        _check_zip(path)


def _check_zip(path: Path) -> None:
    """PyTorch packs nothing: what is packed, or lies in the file more than once, grows as it is read."""
    try:
        with ZipFile(path) as archive:
            entries = archive.infolist()
    except (BadZipFile, OSError, ValueError) as error:
        raise ModelError(f"{path}: cut short or damaged ({error}): fetch it again") from None
    unpacked, size = sum(entry.file_size for entry in entries), path.stat().st_size
    if unpacked > size or any(entry.compress_type != ZIP_STORED for entry in entries):
        raise ModelError(
            f"{path}: a packed archive, {size:,} bytes that become {unpacked:,}: PyTorch packs none of its files; "
            "if there is a checkpoint inside, unpack it first"
        )


def _load(path: Path) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on how old the format is
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle fails in as many ways as there are
        if code := re.search(r"GLOBAL (\S+) (was not|whose)", str(error)):
            raise ModelError(
                f"{path}: is not tensors alone: it asks for {code[1]}, and what a file asks for may run as code, so it "
                "was not opened: whoever has it can save the network's state_dict()"
            ) from None
        pickled = isinstance(error, UnpicklingError)  # whose text is advice to open the file nonetheless
        reason = "a pickle of another kind" if pickled else error_line(error)[:160]
        raise ModelError(f"{path}: not a PyTorch checkpoint, or cut short or damaged ({reason})") from None


def _named_tensors(content: object, path: Path) -> Tensors:
    if not isinstance(content, Mapping):
        raise ModelError(f"{path}: holds {_kind(content)}, where named tensors were expected (a state_dict)")
    others = [(name, one) for name, one in content.items() if not (isinstance(name, str) and _is_plain(one))]
    if others or not content:
        holds = ", ".join(f"{name!s:.60} ({_kind(one)})" for name, one in others[:4]) or "nothing"
        raise ModelError(f"{path}: holds {holds}, where named tensors were expected (the state_dict of one network)")
    return dict(content)


def _is_plain(value: object) -> bool:
    """Numbers that are there, not a promise of them; whole ones are counters."""
    if not isinstance(value, Tensor) or value.layout != torch.strided or value.device.type != "cpu":
        return False
    return value.is_floating_point() or (value.dtype == torch.int64 and value.ndim == 0)


def _kind(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of {str(value.dtype).removeprefix('torch.')}"
    return f"{len(value)} names" if isinstance(value, Mapping) else type(value).__name__


def _unwrapped(tensors: Tensors) -> Tensors:
    """Without what stands in front of all names."""
    for wrapper in WRAPPERS:
        if all(name.startswith(wrapper) for name in tensors):
            return _unwrapped({name.removeprefix(wrapper): one for name, one in tensors.items()})
    return tensors
