"""`cyclegan`: one kind of picture to another and back, learnt without pairs (Zhu et al. 2017, arXiv 1703.10593)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn, optim

from img2img.losses import change_around, faint_change
from img2img.networks.imagenet.subject_encoder import SubjectEncoder
from img2img.networks.patchgan import PatchGAN
from img2img.networks.residual_unet import ResidualUNet
from img2img.networks.resnet import ResnetGenerator
from img2img.networks.settling_norm import following, settling_norms
from img2img.recipes.cyclegan_config import JUDGED_INSIDE, NORMS, PAPER, CycleganConfig
from img2img.recipes.recipe import Batch, Recipe, Update, frozen
from img2img.recipes.translation.image_pool import ImagePool
from img2img.recipes.translation.likeness import translation_figures
from img2img.recipes.translation.subject_class import class_indices
from img2img.recipes.translation.translator_recipe import TranslatorRecipe


class CycleganRecipe(TranslatorRecipe):
    @dataclass(frozen=True, kw_only=True)
    class Config(CycleganConfig):
        pass

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {"paper": PAPER}
    name = "cyclegan"
    averaged = ("g_ab", "g_ba")
    exported = "g_ab"
    way_back = "g_ba"

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.g_ab, self.g_ba = self.exported_network(config), self.exported_network(config)
        self.d_a, self.d_b = self._build_discriminator(), self._build_discriminator()
        shape = (3, config.image_size, config.image_size)
        self.judged_inside = JUDGED_INSIDE[config.judged_inside]
        self.subject = None
        if config.lambda_outside or self.judged_inside:
            self.subject = SubjectEncoder(class_indices(config.subject), pretrained=config.pretrained)
        self.pool_a, self.pool_b = ImagePool(config.pool_size, shape), ImagePool(config.pool_size, shape)

    @classmethod
    def exported_network(cls, config: Recipe.Config) -> ResidualUNet | ResnetGenerator:
        assert isinstance(config, CycleganRecipe.Config)
        if config.generator == "residual-unet":
            return ResidualUNet(
                norm=NORMS[config.norm],
                learns=config.encoder_lr > 0,
                width=config.generator_width,
                context=config.context_blocks,
            )
        separable = config.generator == "separable"
        return ResnetGenerator(config.generator_channels, config.blocks, separable=separable, up=config.up)

    def _build_discriminator(self) -> nn.Module:
        config = self.config
        if config.discriminator == "projected":
            return self._projected()
        norm = self.game.norm(nn.InstanceNorm2d)
        return PatchGAN(3, config.discriminator_channels, norm=norm, spectral=config.spectral_norm)

    def start(self) -> None:
        for generator in (self.g_ab, self.g_ba):
            if isinstance(generator, ResidualUNet) and self.config.pretrained:
                generator.encoder.load_imagenet()

    def optimizers(self) -> dict[str, optim.Optimizer]:
        config, generators = self.config, (self.g_ab, self.g_ba)
        encoders = [each.encoder for each in generators if isinstance(each, ResidualUNet)]
        return {
            "generators": self._adam(config.generator_lr, *generators, slower=encoders, slower_rate=config.encoder_lr),
            "discriminators": self._adam(config.discriminator_lr, self.d_a, self.d_b),
        }

    def step(self, batch: Batch, update: Update) -> dict[str, Tensor]:
        config, a, b, key = self.config, batch["a"], batch["b"], batch["key"]
        with following(self.g_ab, self.g_ba):  # real pictures, which are what will be translated
            fake_b, fake_a = self.g_ab(a), self.g_ba(b)
        back_a, back_b = self.g_ba(fake_b), self.g_ab(fake_a)
        judged_a, judged_b = fake_a, fake_b
        if self.subject:
            around_a, around_b = self.subject.surroundings(a), self.subject.surroundings(b)
            if "a" in self.judged_inside:
                judged_a = fake_a + around_b * (b - fake_a)
            if "b" in self.judged_inside:
                judged_b = fake_b + around_a * (a - fake_b)

        real_a, real_b = self._augmented(a, key, "real"), self._augmented(b, key, "real")
        with frozen(self.d_a, self.d_b):
            fooling = self._fooling(self.d_a, real_a, judged_a, key) + self._fooling(self.d_b, real_b, judged_b, key)
        terms = {"generator": fooling}
        terms["cycle"] = F.l1_loss(back_a, a) + F.l1_loss(back_b, b)
        if self.features:
            terms["perceptual"] = self.features.unlike(back_a, a) + self.features.unlike(back_b, b)
        if config.lambda_identity:
            terms["identity"] = F.l1_loss(self.g_ba(a), a) + F.l1_loss(self.g_ab(b), b)
        if config.lambda_change:
            terms["change"] = faint_change(fake_b, a) + faint_change(fake_a, b)
        if self.subject and config.lambda_outside:
            terms["outside"] = change_around(fake_b, a, around_a) + change_around(fake_a, b, around_b)
        weights = self._weights()
        update("generators", torch.stack([weights[name] * term for name, term in terms.items()]).sum())

        old_a, old_b = self.pool_a.query(judged_a.detach(), key), self.pool_b.query(judged_b.detach(), key)
        loss_a, figures_a = self._judging(self.d_a, real_a, old_a, key)
        loss_b, figures_b = self._judging(self.d_b, real_b, old_b, key)
        update("discriminators", loss_a + loss_b)
        both = {**terms, **{name: figure + figures_b[name] for name, figure in figures_a.items()}}
        return {name: figure.detach() / 2 for name, figure in both.items()}

    def reached(self, progress: float) -> None:
        if progress >= self.config.settle_at:
            for norm in settling_norms(self.g_ab, self.g_ba):
                norm.settle()

    def _fooling(self, discriminator: nn.Module, real: Tensor, fake: Tensor, key: Tensor) -> Tensor:
        """The generator's loss against a discriminator that sees `real` as it is, augmented already."""
        fake = self._augmented(fake, key, "generators' turn")
        return self.game.generator(discriminator, real, fake, key, self.progress)

    def _judging(
        self, discriminator: nn.Module, real: Tensor, fake: Tensor, key: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """A discriminator's own loss, and the figures to record; `real` is augmented already."""
        return self.game.discriminator(discriminator, real, self._augmented(fake, key, "fake"), key, self.progress)

    def _weights(self) -> dict[str, float | Tensor]:
        """Of the terms of the generators' loss, by now."""
        config = self.config
        return {
            "generator": config.lambda_adversarial,
            "cycle": config.lambda_cycle * (1 + (config.cycle_end - 1) * self.progress),
            "perceptual": config.lambda_perceptual,
            "identity": config.lambda_identity,
            "change": config.lambda_change,
            "outside": config.lambda_outside,
        }

    def samples(self, batch: Batch) -> Tensor:
        translated: Tensor = self.g_ab(batch["a"])
        return translated

    def figures(self, batch: Batch) -> dict[str, Tensor]:
        a, b = batch["a"], batch["b"]
        return translation_figures((a, self.g_ab(a)), (b, self.g_ba(b)))

    def preview(self, batch: Batch) -> Tensor:
        """Rows of a, what it became, and back; then of b."""
        a, b = batch["a"], batch["b"]
        fake_b, fake_a = self.g_ab(a), self.g_ba(b)
        return torch.stack([a, fake_b, self.g_ba(fake_b), b, fake_a, self.g_ab(fake_a)], 1)
