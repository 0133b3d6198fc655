"""What the comparison found, in sentences made from its numbers."""

import itertools

import numpy as np
import pandas as pd

from experiments.kit import words
from experiments.optimizers import ravine
from experiments.optimizers.ranking import FEW
from experiments.optimizers.ravine import Walk
from experiments.optimizers.study import Bench

Rankings = dict[str, pd.DataFrame]


def verdict(ranked: pd.DataFrame, on: Bench) -> tuple[str, str, str]:
    """Title, value and remark of a data set's card."""
    first, others = ranked.iloc[0], len(ranked) - 1
    if first["useless"] == 1:
        return on.name, "none", f"No setting of any optimizer beat the start, {_n(on.start_loss)}."
    loss = words.plus_minus(first["mean"], first["se"])
    remark = f"validation {words.name(on.loss_name)} {loss} (start: {_n(on.start_loss)})"
    tied = int(ranked["tied"].sum()) - 1
    if others:
        remark += f"; {tied} of the {others} others cannot be told from it on the same rows"
    return on.name, first["optimizer"], f"{remark}."


def findings(rankings: Rankings, num_points: int) -> list[str]:
    """The sentences of the first screen; only what the numbers can carry."""
    found = []
    for name, ranked in rankings.items():
        if ranked.iloc[0]["useless"] < 1 and len(ranked) > 1:
            found += [_apart(name, ranked), _gamble(name, ranked, num_points)]
    found += [_choice_or_tuning(rankings), _agreement(rankings)]
    return [sentence for sentence in found if sentence]


def in_short(walks: list[Walk]) -> str:
    """The lecture's ravine in one sentence."""
    plain, *others = walks
    turns = words.listed(f"{walk.optimizer} {walk.turns}" for walk in others)
    return (
        f"Down the ravine plain descent turns back {plain.turns} times in {ravine.STEPS} steps, at "
        f"the same rate {turns}."
    )


def cautions(rankings: Rankings) -> list[str]:
    """What a reader should not conclude."""
    notes = []
    for name, ranked in rankings.items():
        tied, others = int(ranked["tied"].sum()) - 1, len(ranked) - 1
        if tied > others / 2:
            notes.append(
                f"On {name} the order is mostly luck: another --seed will shuffle the first "
                f"and the {tied} that cannot be told from it."
            )
        for end in ("lower", "upper"):
            at = ranked.loc[ranked["at_edge"] == end, "optimizer"].tolist()
            if at:
                notes.append(
                    f"On {name} the best learning rate of {words.listed(at)} lies at the {end} end "
                    "of its range; a wider range may do better."
                )
        lost = ranked.loc[ranked["useless"] == 1, "optimizer"].tolist()
        if lost:
            notes.append(f"On {name} no setting of {words.listed(lost)} beat the start.")
    return notes


def budgets(ranked: pd.DataFrame, on: Bench, num_points: int) -> str:
    """The caption of best-so-far."""
    text = (
        "The best validation loss among the first k settings tried: the line is the median over "
        "all orders of trying them, the band their middle half, both exact (order statistics, no "
        "simulation). Dashed: the lowest median of all optimizers at that budget. The number is "
        f"the best of all {num_points}."
    )
    if num_points < FEW or len(ranked) < 2:
        return text
    few = ranked.sort_values("few", kind="stable")
    best, worst = few.iloc[0], few.iloc[-1]
    return (
        f"{text} With {FEW} settings one may expect {_n(best['few'])} of {best['optimizer']}, the "
        f"least of all, and {_n(worst['few'])} of {worst['optimizer']}, the most."
    )


def sensitivity(ranked: pd.DataFrame, on: Bench) -> str:
    """The caption of loss against learning rate."""
    text = (
        f"A dot is a setting, its loss averaged over {words.count(on.num_seeds, 'seed')}; crosses "
        f"ended no better than the start ({_n(on.start_loss)}). Dashed: the best of all. Losses "
        "over four times that lie outside the panels."
    )
    wide = ranked.sort_values("near_own", ascending=False, kind="stable").iloc[0]
    fussy = ranked.sort_values("near_own", kind="stable").iloc[0]
    if wide["near_own"] > fussy["near_own"]:
        text += (
            f" {wide['optimizer']} forgives most: {_p(wide['near_own'])} of its settings end "
            f"within 5% of its best; of {fussy['optimizer']}, {_p(fussy['near_own'])}."
        )
    lost = ranked[ranked["useless"] > 0].sort_values("useless", ascending=False, kind="stable")
    if len(lost):
        parts = [f"{row['optimizer']} {_p(row['useless'])}" for _, row in lost.head(3).iterrows()]
        text += f" Useless settings: {words.listed(parts)}"
        more = words.count(len(lost) - 3, "more optimizer")
        text += f"; {more} with some." if len(lost) > 3 else "."
    return text


def curves(ranked: pd.DataFrame, on: Bench) -> str:
    """The caption of the loss curves."""
    error = (
        " and, shaded, one standard error (each seed is judged on its own fold, which is most of "
        "it, and the same for every optimizer)"
        if on.num_seeds > 1
        else ""
    )
    return (
        "Validation loss by epoch at each optimizer's best setting: the mean of "
        f"{words.count(on.num_seeds, 'seed')}{error}. Dashed: {ranked.iloc[0]['optimizer']}, "
        f"first after {words.count(on.epochs, 'epoch')}."
    )


def lesson(walks: list[Walk]) -> str:
    """The lecture's picture in words."""
    plain, *others = walks
    most = ravine.STEPS - 1
    text = (
        f"A parabola {ravine.CONDITION:g} times steeper across than along, from the ring to the "
        f"cross in {ravine.STEPS} steps. Plain descent at its fastest fixed rate, "
        f"{_n(plain.hyper['learning_rate'])}, turns back across the ravine {plain.turns} times out "
        f"of {most} and walks {plain.detour:.1f} times the way needed across. "
    )
    same = [
        f"{walk.optimizer} turns {walk.turns} times, walks {walk.detour:.1f} times the way and "
        f"ends {_ratio(walk, plain)} as high"
        for walk in others
    ]
    calm = all(walk.turns < plain.turns for walk in others)
    verdict = "Memory moves forward, not up and down" if calm else "Memory does not help here"
    return (
        f"{text}With a memory of {ravine.DECAY:g} at the same rate per unit of gradient, "
        f"{words.listed(same)}. {verdict}."
    )


def paths(walks: list[Walk], num_points: int) -> str:
    """The tuned paths in words."""
    arrived = sorted((walk.arrival, walk.optimizer) for walk in walks if walk.arrival is not None)
    straight = min(walks, key=lambda walk: walk.turns)
    crooked = max(walks, key=lambda walk: walk.turns)
    text = (
        f"Each at the lowest end of its own {num_points} settings, in the order of the fewest "
        f"steps to stay below 1% of the starting height. "
    )
    if arrived:
        fast = arrived[0]
        text += f"{len(arrived)} of {len(walks)} get there, {fast[1]} first, in {fast[0]} steps. "
    else:
        text += "Nobody gets there. "
    if crooked.turns > straight.turns:
        text += (
            f"{crooked.optimizer} turns most often ({crooked.turns} of {ravine.STEPS - 1}), "
            f"{straight.optimizer} least ({straight.turns}): tuned for the end of the walk, a rule "
            "may well zig-zag, as long as each swing is smaller than the last."
        )
    return text


def _apart(name: str, ranked: pd.DataFrame) -> str:
    first = ranked.iloc[0]
    apart = ranked.loc[~ranked["tied"], "optimizer"].tolist()
    lead = f"On {name}, {first['optimizer']} comes first with {_n(first['mean'])}"
    if not apart:
        return f"{lead}, and row for row nobody is told from it: 2 standard errors cover all gaps."
    if len(apart) > 6:
        return f"{lead}; {len(apart)} of {len(ranked) - 1} others are behind by over 2 errors."
    return f"{lead}; only {words.listed(apart)} {_is(apart)} behind by over 2 standard errors."


def _gamble(name: str, ranked: pd.DataFrame, num_points: int) -> str:
    """Whether the winner is also the best bet for a small budget."""
    if num_points < 2 * FEW:
        return ""
    first = ranked.iloc[0]
    bet = ranked.sort_values("few", kind="stable").iloc[0]
    if bet["optimizer"] == first["optimizer"]:
        return f"It is also the best bet on {name} for {FEW} settings: {_n(first['few'])} expected."
    place = int((ranked["few"] < first["few"]).sum()) + 1
    return (
        f"For {FEW} settings on {name} the best bet is {bet['optimizer']} ({_n(bet['few'])} "
        f"expected); {first['optimizer']} is number {place} then, at {_n(first['few'])}."
    )


def _choice_or_tuning(rankings: Rankings) -> str:
    """What an untuned setting costs beside what the last of the tuned optimizers costs."""
    parts, tuning_wins = [], []
    for name, ranked in rankings.items():
        useful = ranked[ranked["useless"] < 1]
        if len(useful) < 2:
            continue
        choice = useful["mean"].iloc[-1] / useful["mean"].iloc[0] - 1
        tuning = float(np.median(useful["median"] / useful["mean"])) - 1
        parts.append(f"{_p(tuning)} against {_p(choice)} on {name}")
        tuning_wins.append(tuning > choice)
    if not parts:
        return ""
    lead = "Tuning and choice matter, each on some data"
    if all(tuning_wins):
        lead = "Tuning matters more than the choice"
    if not any(tuning_wins):
        lead = "The choice matters more than tuning"
    return (
        f"{lead}: a middling setting instead of an optimizer's best adds this much to the "
        f"loss, against the last optimizer, tuned, instead of the first: {words.listed(parts)}."
    )


def _agreement(rankings: Rankings) -> str:
    """Spearman's correlation of the orders on two data sets, averaged over pairs."""
    if len(rankings) < 2 or len(next(iter(rankings.values()))) < 3:
        return ""
    ranks = [ranked.set_index("optimizer")["rank"] for ranked in rankings.values()]
    pairs = [one.corr(other) for one, other in itertools.combinations(ranks, 2)]
    mean = float(np.mean(pairs))
    if mean > 0.7:
        meaning = "what wins on one tends to win on the other"
    elif mean > 0.3:
        meaning = "one order tells something of the other"
    elif mean > -0.3:
        meaning = "one order tells nearly nothing of the other"
    else:
        meaning = "what wins on one tends to lose on the other"
    return f"The orders on the data sets correlate with {_signed(mean)} (Spearman): {meaning}."


def _ratio(walk: Walk, plain: Walk) -> str:
    return words.percent(walk.values[-1] / plain.values[-1], 0)


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", words.MINUS)


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _n(value) -> str:
    return words.number(value)


def _p(share) -> str:
    return words.percent(share, 0)
