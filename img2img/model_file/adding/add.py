"""A model added to those at hand, with the models that its card names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from img2img.atomic_file import exists, is_file
from img2img.errors import ModelError, UsageError
from img2img.model_file.added_folder import added_folder, can_be_a_name
from img2img.model_file.adding.bring import Bringing, Brought
from img2img.model_file.adding.held_folder import HeldFolder, held_folder
from img2img.model_file.adding.source import Address, read_source
from img2img.model_file.card import ModelCard
from img2img.model_file.lookup import available_models, shipped_models
from img2img.transfer import NotAtServer, Patience, TransferProgress, forget


@dataclass(frozen=True)
class Companion:
    """A model that another's card names: as what, and for which option of `img2img translate`."""

    name: str
    task: str
    what: str
    option: str


@dataclass(frozen=True)
class AddedModel:
    """A model that is at hand now: its folder, its files by name, and the companions that are not at hand."""

    name: str
    folder: Path
    files: dict[str, Brought]
    missing: tuple[Companion, ...]

    @property
    def card(self) -> ModelCard:
        return self.files[self.name].card


def add_model(
    source: str,
    *,
    name: str | None = None,
    overwrite: bool = False,
    unchecked: bool = False,
    patience: Patience | None = None,
    progress: TransferProgress = lambda here, total: None,
) -> AddedModel:
    """Brings a model file, and the way back and the critic that lie beside it, into the user's folder of models.

    `source` is a path or an address as `read_source` takes it; `name` is the card's where none is given. A name that
    was added before needs `overwrite`. Nothing of the file is run. Raises UsageError, ModelError and TransferError;
    whatever happens, the model is there as a whole or as it was.
    """
    place = read_source(source, unchecked=unchecked)
    if name is not None:
        check_new_name(name, overwrite=overwrite)
    with held_folder() as folder:
        bringing = Bringing(folder, patience or Patience(), progress)
        model = bringing.bring(place)
        name = name or _own_name(model)
        check_new_name(name, overwrite=overwrite)
        wanted = list(_companions(model.card))
        _check_apart(name, wanted)
        brought = {each.name: file for each in wanted if (file := _beside(place, each, bringing))}
        return _put(folder, name, {name: model, **brought}, wanted)


def _put(folder: HeldFolder, name: str, files: dict[str, Brought], wanted: list[Companion]) -> AddedModel:
    place = folder.put(name, {f"{stem}.onnx": file.content for stem, file in files.items()})
    for file in files.values():
        if file.part:
            forget(file.part)
    at_hand = {*files, *(path.stem for path in available_models())}
    return AddedModel(name, place, files, tuple(each for each in wanted if each.name not in at_hand))


def _own_name(model: Brought) -> str:
    if not can_be_a_name(model.card.name):
        raise ModelError(f"{model.origin}: its card calls it {model.card.name!r}, which cannot be a name: give --name")
    return model.card.name


def check_new_name(name: str, *, overwrite: bool) -> None:
    """Raises UsageError for what cannot be a model's name, and ModelError for one that is taken."""
    if not can_be_a_name(name):
        raise UsageError(f"--name {name}: give up to 64 letters and digits, and . _ - between them, but no file's name")
    if name.casefold() in {path.stem.casefold() for path in shipped_models()}:
        raise ModelError(f"{name}: a model that ships with img2img has this name, and keeps it: give another --name")
    if not overwrite and exists(added_folder() / name):
        raise ModelError(
            f"{name}: is there already, in {added_folder()}; --overwrite replaces it, --name names another"
        )


def _companions(card: ModelCard) -> Iterator[Companion]:
    """Under names that stay in the folder, whatever a stranger's card says."""
    for said, *role in (
        (card.reverse, "translate", "its way back", "--cycle"),
        (card.critic, "critic", "its critic", "--score"),
    ):
        name = Path(said or "").name
        if name and name.isprintable():
            yield Companion(name, *role)


def _check_apart(name: str, wanted: list[Companion]) -> None:
    """On a disk that ignores case, too: all lie in one folder."""
    names = [name.casefold(), *(each.name.casefold() for each in wanted)]
    if len(set(names)) < len(names):
        raise ModelError(f"{name}: the names that its card gives to other models are the same: give another --name")


def _beside(place: Path | Address, wanted: Companion, bringing: Bringing) -> Brought | None:
    """A companion in the same folder, here or at the server; None where none is, or where it would not be sure."""
    beside = place.beside(wanted.name) if isinstance(place, Address) else place.with_name(f"{wanted.name}.onnx")
    if beside is None or (isinstance(beside, Path) and not is_file(beside)):
        return None
    try:
        found = bringing.bring(beside)
    except NotAtServer:
        return None
    if found.card.task != wanted.task:
        raise ModelError(
            f"{found.origin}: a model for {found.card.task!r}, and the card beside it calls it {wanted.what}"
        )
    return found
