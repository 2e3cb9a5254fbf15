"""What can go wrong in an adversarial training, and how it shows in what was measured.

The thresholds were measured on 5,000 real digits at 32 px, batches of 64, over 200 to 2,500 steps of the adversarial
recipes at their own rates (the convolutional ones with 16 channels), and of the same recipes ruined in one way each;
each threshold says between which figures it lies.
"""

import math
from collections.abc import Callable, Mapping

from img2img.training.health.history import RIGHT, Finding, History
from img2img.training.health.translation_symptoms import TRANSLATION_SYMPTOMS

SETTLING_STEPS, SETTLING_SHARE = 500, 0.03
"""Steps, and share of the run, in which a generator may draw one picture: every one begins so, at a rising rate
(diversity 0.06 to 0.2; 0.00 for a `tgan` of 8 channels, through its first 300 steps)."""
VARIED_STEPS, VARIED_SHARE = 3000, 0.1
"""By then it must be varied."""
DIVERSITY_EARLY, DIVERSITY_LATE = 0.02, 0.2
"""Least diversity, from the first step on a line to when it must be varied (`dcgan` after 700 steps: 0.1 to 0.2; `gan`
after 1,000: 0.5 and more; a generator that ignores z: 0.00; one with 10 turns to the discriminator's one: 0.03)."""
VARIED, FALL = 0.25, 3.0
"""Diversity from which a generator counts as varied, and how many times lower than its best is fallen (sound: at most
twice)."""
TWINS = 0.4
"""Share of samples with a twin (sound: at most 0.2; three digits over and over: 0.45)."""
SURE = 1e-3
"""Discriminator's loss (`dcgan` while always right: 7e-3 and more; at 100 times its rate: 1e-5 to 3e-4)."""
RIGHT_STEPS = 2000
"""Steps in which a discriminator must have been wrong at some check (`dcgan` is always right for its first 700)."""
FAINT_LOSING, FAINT = 1e-2, 1e-4
"""Part of its highest norm to which a generator's gradient may fall, while it is losing and in any case (sound: above
0.05; minimax against a discriminator that is always right: 4e-3)."""
LOSING = 0.9
"""Share of the logits of either kind on the right side when the generator is losing."""
FOOLED = 0.3
"""Least share of logits on the right side, both kinds together (sound: 0.4 and more)."""
OUTRUN = 3.0
"""Loss of a discriminator that takes real for fake and fake for real (sound: at most 1; a coin tossed: 0.7)."""
HUGE_LOSS = 20.0
"""Loss of a side in a game with targets: at 20, a logit of 20, its probability is 2e-9 (sound: below 7)."""
STEEP = 30.0
"""Times that a critic's distance may exceed the distance between samples and data, the most that a slope of 1 allows
(kept Lipschitz: below 5, since the norm of a reshaped kernel is not the layer's; unconstrained: 100 and growing)."""
GROWING = 2.0
"""Times the highest distance of the first third of the run that such a critic has passed."""
GROWTH = 1000.0
"""Times that a gradient's norm may exceed its highest in the first third of the run (sound: below 50)."""


def blown_up(values: Mapping[str, float]) -> Finding | None:
    """Which of the values just measured are NaN or infinite."""
    bad = [name for name, value in values.items() if not math.isfinite(value)]
    if not bad:
        return None
    return Finding(
        "not finite",
        f"{', '.join(bad)} became NaN or infinite: export the last good state, and start a new run from its weights "
        "(--init) with lower learning rates.",
    )


def symptoms(history: History) -> list[Finding]:
    """All that is wrong by now, each name once."""
    findings = filter(None, (look(history) for look in SYMPTOMS))
    return list({finding.name: finding for finding in findings}.values())


def mode_collapse(history: History) -> Finding | None:
    """The generator draws one picture or few: diversity fell far from its best, or never rose."""
    diversity = history["diversity"]
    fell = diversity.now < VARIED < diversity.highest and diversity.now < diversity.highest / FALL
    if not (fell or diversity.now < _least_diversity(history)):
        return None
    before = f" (once {diversity.highest:.2g})" if fell else ""
    more = "try --set instance_noise=0.1" if history.judge else "give it more data"
    return Finding(
        "mode collapse",
        f"the samples are only {diversity.now:.2g} times as varied as the data{before}: "
        f"{_slower(history, 'generator')}, {more}, or {_steadier(history)}.",
    )


def _least_diversity(history: History) -> float:
    """What a sound run has by now."""
    if history.step < SETTLING_STEPS or history.progress < SETTLING_SHARE:
        return 0.0
    ripe = min(history.step / VARIED_STEPS, history.progress / VARIED_SHARE, 1.0)
    return DIVERSITY_EARLY + (DIVERSITY_LATE - DIVERSITY_EARLY) * ripe


def duplicates(history: History) -> Finding | None:
    """The samples differ, but each has its twins: a generator that knows a few pictures."""
    share = history["duplicates"].now
    if not (share > TWINS and history["diversity"].now >= VARIED):  # below that, it is the start or a mode collapse
        return None
    return Finding(
        "duplicates",
        f"{share:.0%} of the samples have a twin in their own batch: the generator knows a few pictures only; "
        f"{_slower(history, 'generator')}, give it more data, or {_steadier(history)}.",
    )


def always_right(history: History) -> Finding | None:
    """The discriminator is sure of everything, or was never wrong for long: it has nothing to learn nor to teach."""
    loss = history["discriminator"].now
    right = min(history["real_right"].now, history["fake_right"].now)
    if not (right >= RIGHT and (loss < SURE or history.steps_right >= RIGHT_STEPS)):
        return None
    return Finding(
        "discriminator always right",
        f"it knows {right:.0%} of the real and the fake with a loss of {loss:.2g}, which leaves the generator nothing "
        "to follow: lower discriminator_lr, or try --set instance_noise=0.1 or r1=1.",
    )


def vanishing_gradients(history: History) -> Finding | None:
    """A generator's gradient is a faint rest of what it was."""
    losing = history["real_right"].now >= LOSING and history["fake_right"].now >= LOSING
    for player in history.players if history.judge else ():
        gradient = history[f"gradient of {player}"]
        if player == history.judge or not gradient.now <= gradient.highest * (FAINT_LOSING if losing else FAINT):
            continue
        loss = "use --set adversarial=bce if it is minimax, " if history.judge != "critic" else ""
        return Finding(
            "vanishing gradients",
            f"the gradient norm of the {player} fell from {gradient.highest:.2g} to {gradient.now:.2g}, too little to "
            f"learn from: {loss}{_slower(history, history.judge)}, or {_steadier(history)}.",
        )
    return None


def runaway_judge(history: History) -> Finding | None:
    """The discriminator's logits grow without bound."""
    loss = max((history[name].now for name in ("discriminator", "generator")), key=abs)
    if not (history.judge and history["real_right"].now >= 0 and abs(loss) > HUGE_LOSS):
        return None
    return Finding(
        f"runaway {history.judge}",
        f"logits are so large that a loss reached {loss:.3g}: lower discriminator_lr, or try --set r1=1.",
    )


def runaway_critic(history: History) -> Finding | None:
    """A critic that nothing keeps Lipschitz sees a distance beyond all bounds."""
    distance, apart = history["distance"], history["apart"].now
    penalised = history["penalty"].now >= 0
    if not (distance.now > STEEP * apart and distance.now > GROWING * distance.highest_early):
        return None
    return Finding(
        "runaway critic",
        f"its distance grew to {distance.now:.3g} where samples and data are {apart:.3g} apart, so it is not "
        f"Lipschitz: lower discriminator_lr, or {'raise lambda_penalty' if penalised else 'try --set r1=1'}.",
    )


def runaway_generator(history: History) -> Finding | None:
    """The discriminator takes most of what it sees for its opposite: it cannot keep up."""
    loss = history["discriminator"].now
    right = (history["real_right"].now + history["fake_right"].now) / 2
    if not (right < FOOLED or (right >= 0 and OUTRUN < loss <= HUGE_LOSS)):
        return None
    return Finding(
        "runaway generator",
        f"the discriminator is right about {right:.0%} of what it sees at a loss of {loss:.2g}, so what it teaches is "
        "wrong: lower generator_lr, and discriminator_lr too if it is larger.",
    )


def runaway_gradients(history: History) -> Finding | None:
    """A player's gradients grow by orders of magnitude."""
    for player in history.players:
        gradient = history[f"gradient of {player}"]
        if gradient.now > GROWTH * gradient.highest_early > 0:
            return Finding(
                f"runaway {player}",
                f"the gradient norm grew from {gradient.highest_early:.2g} to {gradient.now:.2g}: "
                f"{_slower(history, player)}.",
            )
    return None


def _slower(history: History, player: str) -> str:
    """Players of a game have a rate each; a generator that plays alone may have several."""
    if not history.judge:
        return "lower its learning rates"
    return f"lower {'discriminator' if player == history.judge else 'generator'}_lr"


def _steadier(history: History) -> str:
    """What to do about a generator that is taught badly; of any recipe."""
    if not history.judge:
        return "train it for longer"
    return "raise n_critic" if history.judge == "critic" else "try --set r1=1"


SYMPTOMS: tuple[Callable[[History], Finding | None], ...] = (
    mode_collapse,
    duplicates,
    always_right,
    vanishing_gradients,
    runaway_judge,
    runaway_critic,
    runaway_generator,
    runaway_gradients,
    *TRANSLATION_SYMPTOMS,
)
