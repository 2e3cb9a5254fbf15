"""The one training loop. It runs any recipe and names none."""

import logging
import signal
from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import asdict, replace
from itertools import chain

import torch
from torch import Tensor

from img2img.data.batches import shown_batch, training_batches
from img2img.data.training_data import TrainingData
from img2img.interrupt import interrupt_noted
from img2img.machine import keep_freed_memory
from img2img.randomness import derive_seed
from img2img.recipes.recipe import Batch, Recipe
from img2img.runs.previews import preview_grid
from img2img.runs.run_folder import RunFolder
from img2img.runs.state import TrainState, python_rng_state, restore_python_rng
from img2img.training.ema import Ema
from img2img.training.health.examination import examine
from img2img.training.health.finite import refuse_what_is_not_finite
from img2img.training.loss_window import LossWindow
from img2img.training.memory_format import batch_channels_last, channels_last
from img2img.training.pace import Pace
from img2img.training.processes.distributed import OneProcess
from img2img.training.progress import Silence, training_progress
from img2img.training.reporter import Reporter
from img2img.training.schedule import LearningRates
from img2img.training.validation import Validation

_log = logging.getLogger(__name__)


class Trainer:
    """Trains one recipe in one folder. `resume` or go straight to `train`."""

    def __init__(
        self,
        recipe: Recipe,
        data: TrainingData,
        folder: RunFolder,
        *,
        seed: int,
        device: torch.device,
        pace: Pace,
        processes: OneProcess | None = None,
        compile: bool = False,
        tensorboard: bool = False,
        validation: Validation | None = None,
    ) -> None:
        self.processes = processes or OneProcess()
        self.recipe = channels_last(recipe.to(device)).train()
        self.processes.prepare(self.recipe)
        self.data, self.folder, self.seed, self.device, self.pace = data, folder, seed, device, pace
        self.validation = validation
        self.optimizers = recipe.optimizers()
        self._rates = LearningRates(self.optimizers)
        generators = {name: recipe.get_submodule(name) for name in recipe.averaged}
        self.ema = Ema(generators, recipe.config.ema_decay)
        if compile:  # in place, so that names in a state stay; no critic: it may be differentiated twice
            for network in recipe.compiled():
                network.compile()
        self.reporter = Reporter(folder, tensorboard=tensorboard and self.processes.leads)
        self.step = 0
        self.samples = 0
        self._losses = LossWindow()

    def train(self) -> None:
        """Run to the last step or until time is up; save then, on the way and when interrupted (KeyboardInterrupt)."""
        keep_freed_memory()
        self.processes.begin(self.recipe)
        if self.processes.leads:
            _log.info("preparing the first images ...")
        with closing(self._batches()) as batches:  # or an error would leave their processes at work
            interrupted = self._train_on(_first_one_ready(batches))
        self.reporter.close()
        if self.processes.leads:
            self.folder.note_stopped(not self.done)
        self.processes.leave()
        # Without a limit of time, what stopped this process was an interrupt of another.
        if not self.done and (interrupted or self.pace.until is None):
            raise KeyboardInterrupt

    @property
    def done(self) -> bool:
        return self.step >= self.recipe.config.steps

    def _train_on(self, batches: Iterator[Batch]) -> bool:
        """Whether this process was interrupted."""
        steps, pace = self.recipe.config.steps, self.pace
        preview = self._preview_batch() if self.processes.leads else {}
        with interrupt_noted(signal.SIGTERM) as interrupted, self._progress() as show:
            self.reporter.begin(self.step)
            for batch in batches:
                batch = batch_channels_last(batch)
                scalars = self._train_step(batch)
                self._losses.add(scalars)
                show.step(self.step)
                stop = interrupted.is_set() or pace.time_is_up()  # asked once a step: it may change at any time
                last = self.processes.agree_to_stop(stop) or self.step == steps
                if self.processes.leads and self.step % pace.health_every == 0:
                    self._check_health(batch, scalars, show)
                if last or self.step % pace.log_every == 0:
                    self._record(show)
                if self.processes.leads and (last or pace.previews_at(self.step)):
                    self._save_preview(preview, show)
                if last or self.step % pace.save_every == 0:
                    self._save()
                if self.validation and (self.step == steps or pace.evaluates_at(self.step)):
                    with self.reporter.paused():
                        self._validate(self.validation, show)
                if last:
                    break
            return interrupted.is_set()

    def _train_step(self, batch: Batch) -> dict[str, Tensor]:
        torch.manual_seed(derive_seed(self.seed, "step", self.step, self.processes.rank))
        self._rates.set(self.recipe.lr_multiplier((self.step + 1) / self.recipe.config.steps))
        self.recipe.progress.fill_(self.step / self.recipe.config.steps)
        scalars = self._compute(batch)
        self.step += 1
        self.samples += self.recipe.samples_per_step
        return scalars

    def _compute(self, batch: Batch) -> dict[str, Tensor]:
        """All that a step does on the device; nothing in it asks for a value."""
        # No cache of bf16 weights: it lasts as long as this block, and a player's weights change within the step.
        in_bf16 = self.recipe.config.in_bf16(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=in_bf16, cache_enabled=False):
            scalars: dict[str, Tensor] = self.recipe.step(batch, self._update)
        self.recipe.reached((self.step + 1) / self.recipe.config.steps)
        self.processes.average_buffers()
        self.ema.update(self.step)
        return scalars

    def _update(self, name: str, loss: Tensor) -> None:
        optimizer = self.optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, enabled=False):
            torch.autograd.backward(loss)
        self.processes.average_gradients(parameter for group in optimizer.param_groups for parameter in group["params"])
        optimizer.step()

    def _batches(self) -> Generator[Batch]:
        config = self.recipe.config
        return training_batches(
            self.data.train,
            image_size=config.image_size,
            batch_size=config.batch_size,
            batches_per_step=self.recipe.batches_per_step,
            augment=config.augment,
            frames=self.recipe.frames,
            paired=self.recipe.paired,
            first=self.samples,
            stop=self.samples + (config.steps - self.step) * self.recipe.samples_per_step,
            seed=self.seed,
            workers=self.pace.workers or 0,
            rank=self.processes.rank,
            world=self.processes.world,
            cache=self.pace.cache,
            device=self.device,
        )

    def _preview_batch(self) -> Batch:
        batch = shown_batch(
            self.data.shown,
            image_size=self.recipe.config.image_size,
            count=self.pace.preview_count,
            seed=self.seed,
            frames=self.recipe.frames,
            paired=self.recipe.paired,
        )
        return {name: tensor.to(self.device) for name, tensor in batch_channels_last(batch).items()}

    def _progress(self) -> AbstractContextManager[Silence]:
        return training_progress(self.step, self.recipe.config.steps, shown=self.processes.leads)

    def _record(self, show: Silence) -> None:
        losses = self._losses.take(self.processes.mean)
        if self.processes.leads:
            show.step(self.step, self.reporter.figures(self.step, losses, self.recipe.samples_per_step))
        refuse_what_is_not_finite(self.folder.path, {name: torch.tensor(value) for name, value in losses.items()})

    def _check_health(self, batch: Batch, scalars: Mapping[str, Tensor], show: Silence) -> None:
        """Changes nothing of the run."""
        measured = examine(self.recipe, self.optimizers, batch, scalars)
        for finding in self.reporter.check_up(self.step, self.recipe.config.steps, measured):
            show.say(f"step {self.step}: {finding.name}: {finding.sentence}")

    @torch.no_grad()
    def _save_preview(self, batch: Batch, show: Silence) -> None:
        with self.ema.applied(self.recipe):
            self.reporter.picture(self.step, preview_grid(self.recipe.preview(batch)))
        if self.step in self.pace.early_previews:
            show.say(f"step {self.step}: preview: {self.folder.preview_path(self.step)}")

    def _validate(self, validation: Validation, show: Silence) -> None:
        """Changes nothing of the run; keeps the state that is the best so far."""
        refuse_what_is_not_finite(self.folder.path, {**self.recipe.state_dict(), **self.ema.state_dict()})
        if not self.folder.quality():
            show.say(f"step {self.step}: measuring the quality; the first time takes longer, since it sees all images")
        figures = validation.measure(self.recipe, self.ema.averages)
        if best := validation.is_best(figures):
            replace(self.state(), quality=figures).save_best(self.folder.path)
        told = self.reporter.quality(self.step, figures, validation.reference)
        show.say(f"step {self.step}: {told}{', the best so far' if best else ''}")

    def _save(self) -> None:
        """Write a state from which the run goes on bit for bit; never one with a loss or weight that is not finite."""
        refuse_what_is_not_finite(
            self.folder.path,
            {**self._losses.sums(self.processes.mean), **self.recipe.state_dict(), **self.ema.state_dict()},
        )
        if self.processes.leads:
            self.state().save(self.folder.path, self.pace.keep)

    def state(self) -> TrainState:
        """All that a resumed run needs."""
        return TrainState(
            recipe=self.recipe.name,
            config=asdict(self.recipe.config),
            seed=self.seed,
            step=self.step,
            samples=self.samples,
            networks=self.recipe.state_dict(),
            optimizers={name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            ema=self.ema.state_dict(),
            torch_rng=torch.get_rng_state(),
            python_rng=python_rng_state(),
        )

    def resume(self, state: TrainState) -> None:
        """Go on exactly where the state was saved."""
        self.recipe.load_state_dict(state.networks)
        self.ema.load_state_dict(state.ema)
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state.optimizers[name])
        self.step, self.samples = state.step, state.samples
        torch.set_rng_state(state.torch_rng)
        restore_python_rng(state.python_rng)
        if self.processes.leads:
            self.reporter.resume(state.step)


def _first_one_ready(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same, after what happens before the first: workers start, or a data set is decoded with a bar of its own."""
    return chain([first] if (first := next(batches, None)) is not None else [], batches)
