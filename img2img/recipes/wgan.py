"""`wgan`, `wgan-gp`, `wgan-sn`, `wgan-svc`: a critic of the Wasserstein distance, kept Lipschitz in four ways."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn, optim
from torch.nn.utils.parametrizations import spectral_norm

from img2img.losses import ADVERSARIAL_LOSSES, WASSERSTEIN, AdversarialLoss, clip_singular_values, clip_weights
from img2img.networks.blocks import Norm
from img2img.networks.dcgan import DcganDiscriminator
from img2img.recipes.generative import GenerativeRecipe
from img2img.recipes.recipe import Batch, Update, frozen


class WassersteinRecipe(GenerativeRecipe):
    """Algorithm 1 of arXiv 1701.07875: n_critic updates of the critic, then one of the generator."""

    @dataclass(frozen=True, kw_only=True)
    class Config(GenerativeRecipe.Config):
        n_critic: int = 5
        """Updates of the critic for each of the generator, each on a batch of its own."""

        def __post_init__(self) -> None:
            super().__post_init__()
            self.require("n_critic", self.n_critic >= 1, "1 or more")

        def loss(self) -> AdversarialLoss:
            return WASSERSTEIN

    judge_name = "critic"
    critic_norm: Norm = nn.Identity

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.batches_per_step = config.n_critic
        self.critic = self.build_critic()

    def build_critic(self) -> nn.Module:
        config = self.config
        return DcganDiscriminator(
            config.image_channels, config.image_size, config.discriminator_channels, self.game.norm(self.critic_norm)
        )

    def after_critic_update(self) -> None:
        """Bring the critic back to where it is Lipschitz, if the loss does not."""

    def after_critic(self) -> None:
        """The same, once a step."""

    def step(self, batch: Batch, update: Update) -> dict[str, Tensor]:
        turns = zip(self.real(batch).chunk(self.config.n_critic), batch["key"].chunk(self.config.n_critic), strict=True)
        for real, key in turns:
            with torch.no_grad():
                fake = self.generator(self.latents(key, "critic's turn"))
            critic_loss, figures = self.game.discriminator(self.critic, real, fake, key, self.progress)
            update("critic", critic_loss)
            self.after_critic_update()
        self.after_critic()

        fake = self.generator(self.latents(key, "generator's turn"))
        with frozen(self.critic):
            generator_loss = self.game.generator(self.critic, real, fake, key, self.progress)
        update("generator", generator_loss)
        return {**figures, "generator": generator_loss.detach()}


class WganRecipe(WassersteinRecipe):
    """Lipschitz by clipped weights; RMSprop, since momentum hurts there (arXiv 1701.07875, section 4)."""

    @dataclass(frozen=True, kw_only=True)
    class Config(WassersteinRecipe.Config):
        generator_lr: float = 5e-5
        discriminator_lr: float = 5e-5
        clip: float = 0.01

        def __post_init__(self) -> None:
            super().__post_init__()
            self.require("clip", self.clip > 0, "above 0")
            self.require("betas", self.betas == GenerativeRecipe.Config.betas, "left as it is: RMSprop has none")

    name = "wgan"
    critic_norm = nn.BatchNorm2d

    config: Config

    def optimizer(self, network: nn.Module, rate: float) -> optim.Optimizer:
        return optim.RMSprop(network.parameters(), lr=rate)

    def after_critic_update(self) -> None:
        clip_weights(self.critic, self.config.clip)


class WganGpRecipe(WassersteinRecipe):
    """Lipschitz by a penalty on the gradient's norm (Gulrajani et al. 2017, arXiv 1704.00028, algorithm 1)."""

    @dataclass(frozen=True, kw_only=True)
    class Config(WassersteinRecipe.Config):
        generator_lr: float = 1e-4
        discriminator_lr: float = 1e-4
        betas: tuple[float, float] = (0.0, 0.9)

        def loss(self) -> AdversarialLoss:
            return ADVERSARIAL_LOSSES["wasserstein-gp"]

    name = "wgan-gp"


class WganSnRecipe(WassersteinRecipe):
    """Lipschitz by spectral norm: each kernel over its largest singular value (Miyato et al. 2018, 1802.05957)."""

    @dataclass(frozen=True, kw_only=True)
    class Config(WassersteinRecipe.Config):
        betas: tuple[float, float] = (0.0, 0.9)

    name = "wgan-sn"

    def build_critic(self) -> nn.Module:
        critic = super().build_critic()
        for layer in critic.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                spectral_norm(layer)
        return critic


class WganSvcRecipe(WassersteinRecipe):
    """Lipschitz by singular value clipping, once a step (Saito et al. 2017, arXiv 1611.06624, section 3.3)."""

    @dataclass(frozen=True, kw_only=True)
    class Config(WassersteinRecipe.Config):
        betas: tuple[float, float] = (0.0, 0.9)

    name = "wgan-svc"

    def after_critic(self) -> None:
        clip_singular_values(self.critic)
