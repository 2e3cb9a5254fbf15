"""The live health of a training: names what goes wrong, in one sentence with a remedy, each time it comes up."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from img2img.training.health.history import Finding, History
from img2img.training.health.symptoms import blown_up, symptoms

AWAY = 10
"""Checks without a finding after which it has gone away: near a threshold it comes and goes."""


@torch.no_grad()
def gradient_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    """The 2-norm (scalar, on the device) of all gradients together; parameters that have none are left out."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    return torch.stack(torch._foreach_norm(gradients)).norm() if gradients else torch.zeros(())


class Health:
    """Watches one run; rebuilt from the records of its checks, it goes on as if it had never stopped."""

    def __init__(self, records: Iterable[Mapping[str, Any]] = ()) -> None:
        self.record: dict[str, Any] = {}
        """The last check, as JSON holds it, a line of health.jsonl: the arguments of `check` and, under "findings", the
        name and sentence of all that is wrong, new or not."""
        self._history = History()
        self._checks = 0
        self._last_seen: dict[str, int] = {}
        for record in records:
            self.check(**{name: value for name, value in record.items() if name != "findings"})

    def check(
        self,
        step: int,
        steps: int,
        scalars: Mapping[str, float],
        gradient_norms: Mapping[str, float],
        figures: Mapping[str, float],
    ) -> list[Finding]:
        """Take in what was measured at one step of `steps`; returns what comes up now.

        `scalars` are those of the recipe's step, `gradient_norms` go by player (the optimizers' names), `figures` are
        those of `diversity_figures()`. A finding comes once, and again only after it has gone away.
        """
        gradients = {f"gradient of {player}": norm for player, norm in gradient_norms.items()}
        values = {**scalars, **gradients, **figures}
        bad = blown_up(values)
        if not bad:
            self._history.add(step, steps, gradient_norms, values)
        findings = [bad] if bad else symptoms(self._history)
        self.record = {
            "step": step,
            "steps": steps,
            "scalars": dict(scalars),
            "gradient_norms": dict(gradient_norms),
            "figures": dict(figures),
            "findings": [asdict(finding) for finding in findings],
        }
        return self._new(findings)

    def _new(self, findings: list[Finding]) -> list[Finding]:
        """Those that were not there at the last few checks."""
        self._checks += 1
        new = [found for found in findings if self._checks - self._last_seen.get(found.name, -AWAY) > AWAY]
        self._last_seen.update({found.name: self._checks for found in findings})
        return new
