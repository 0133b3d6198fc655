"""The comparison's page: one file that holds everything, opens anywhere and needs no network."""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

from experiments.kit import pages, style, words
from experiments.kit.clock import Clock
from experiments.kit.markup import Markup, card, element, table
from experiments.kit.report import sections, tables
from experiments.optimizers import figures, ravine_figures
from experiments.optimizers import words as optimizer_words
from experiments.optimizers.ranking import FEW
from experiments.optimizers.ravine import Walk
from experiments.optimizers.spaces import CONTESTANTS, LEAST_FORGOTTEN
from experiments.optimizers.study import Bench, Trial

# Small multiples keep a readable size on a narrow screen, and scroll.
EXTRA_CSS = """
.multiples { display: block; margin: 1.6rem 0; }
.multiples .scroll { margin-bottom: 0.6rem; }
.multiples svg { display: block; width: 100%; min-width: 46rem; height: auto; }
.ranking table { font-size: 0.88rem; } .ranking th, .ranking td { padding-inline: 0.45rem; }
ul.findings { padding-left: 1.2rem; max-width: 46rem; } ul.findings li { margin: 0.35rem 0; }
"""

FILES = "results.parquet has a row per optimizer, setting and seed; summary.json the rankings."


def write(
    path: Path, studied, lesson: list[Walk], walks: list[Walk], summary: dict, clock: Clock
) -> None:
    """Writes report.html; `studied` is a list of (bench, trials in rank order, ranking)."""
    rankings = {on.name: ranked for on, _, ranked in studied}
    num_points = summary["settings"]["points"]
    with matplotlib.rc_context(style.RC):
        body = [
            _header(studied, rankings, lesson, summary),
            _overview(rankings, num_points),
            *(_data_set(*part, num_points) for part in studied),
            _ravine(lesson, walks, num_points),
            _spaces(next(iter(rankings.values()))["optimizer"]),
            tables.again(summary, FILES, clock),
            tables.settings(summary),
        ]
    pages.write(path, f"Optimizers on {words.listed(rankings)}", body, EXTRA_CSS)


def _header(studied, rankings, lesson, summary) -> Markup:
    settings = summary["settings"]
    cards = [card(*optimizer_words.verdict(ranked, on)) for on, _, ranked in studied]
    found = optimizer_words.findings(rankings, settings["points"])
    found.append(optimizer_words.in_short(lesson))
    notes = [*summary.get("remarks", ()), *optimizer_words.cautions(rankings)]
    num = len(next(iter(rankings.values())))
    count = words.count
    ran = (
        f"{count(num, 'optimizer')} × {count(settings['points'], 'setting')} × "
        f"{count(settings['seeds'], 'seed')} on {count(len(studied), 'data set')}: "
        f"{count(summary['num_lanes'], 'linear model')}, {count(settings['epochs'], 'epoch')} "
        f"each, in {count(summary['num_compilations'], 'compiled program')} on "
        f"{summary['device']}. Everybody tunes on the same number of Sobol points of its own "
        "space, meets the same minibatches, and is judged by validation loss after the last "
        f"epoch. Compilation {words.seconds(summary['compile_seconds'])}, run "
        f"{words.seconds(summary['run_seconds'])}."
    )
    return element(
        "header",
        element("p", "jaxlr optimizers", class_="over"),
        element("h1", "Which optimizer, on which data?"),
        element("p", ran, class_="lead"),
        element("div", *cards, class_="cards"),
        element("ul", *(element("li", sentence) for sentence in found), class_="findings"),
        element("ul", *(element("li", note) for note in notes), class_="notes") if notes else None,
    )


def _overview(rankings: dict[str, pd.DataFrame], num_points: int) -> Markup:
    order = mean_ranks(rankings).index.tolist()
    figure = figures.overview(rankings, order)
    few = min(FEW, num_points)
    caption = (
        f"Optimizers by mean rank. Full dot: the best of {num_points} settings. Ring: what one may "
        f"expect of {few}. Bar: the median setting, an arrow where it lies outside. A short line "
        "is a rule that needs little tuning; the left end says how good it can get."
    )
    alt = "Best, expected and median validation loss of every optimizer on every data set"
    return sections.section(
        "overview", "At a glance", _pictures([("overview", figure, alt)], caption)
    )


def mean_ranks(rankings: dict[str, pd.DataFrame]) -> pd.Series:
    """The mean rank of each optimizer over data sets, the best first."""
    ranks = [ranked.set_index("optimizer")["rank"] for ranked in rankings.values()]
    return pd.concat(ranks, axis=1).mean(axis=1).sort_values(kind="stable")


def _data_set(on: Bench, trials: list[Trial], ranked: pd.DataFrame, num_points: int) -> Markup:
    rows = int(np.sum(np.asarray(on.batch.weights.judging) > 0))
    text = (
        f"{len(on.batch.x):,} rows of {words.count(on.batch.x.shape[1], 'feature')} outside the "
        f"test set, which nobody looks at; each of {words.count(on.num_seeds, 'seed')} holds out "
        f"its own fold, {rows:,} rows in all, and has its own order of the rest. The risk adds "
        f"{words.tidy(on.l2)}/2 ‖W‖²; the validation loss does not."
    )
    drawn = [
        ("budget", figures.budgets(on, trials), "Best loss so far against budget"),
        ("rates", figures.sensitivity(on, trials), "Final loss against learning rate"),
        ("curves", figures.learning(on, trials), "Loss curves of the best settings"),
    ]
    captions = [
        optimizer_words.budgets(ranked, on, num_points),
        optimizer_words.sensitivity(ranked, on),
        optimizer_words.curves(ranked, on),
    ]
    headings = ["Best so far, against budget", "How much the learning rate matters", "Loss curves"]
    parts = [
        [
            element("h3", heading),
            _pictures(
                [(f"{key}-{_slug(on.name)}", figure, f"{alt} on {on.name}, by optimizer")], caption
            ),
        ]
        for (key, figure, alt), caption, heading in zip(drawn, captions, headings, strict=True)
    ]
    return sections.section(
        f"data-{_slug(on.name)}", on.name, element("p", text), _table(on, ranked), *parts
    )


def _table(on: Bench, ranked: pd.DataFrame) -> Markup:
    errors = ranked["behind_se"][ranked["behind_se"] > 0]
    decimals = words.places(errors.min()) if len(errors) else 4
    rows = [_row(row, decimals) for _, row in ranked.iterrows()]
    head = ["optimizer", f"val. {words.name(on.loss_name)}", "behind the first", "learning rate"]
    head += ["memory", f"best of {FEW}", "near own best", "near best", "useless", "diverged"]
    caption = (
        "The best setting of each: mean ± standard error over seeds. Behind the first: the mean "
        "excess on the same rows ± its standard error, ≈ where that is within 2 errors (each is "
        "the best of many settings on these rows, so all the losses are flattered). Best of "
        f"{FEW}: expected. Shares of settings: near, within 5% of its own best and of the best of "
        "all; useless, no better than the start; diverged, not even finite."
    )
    return element("div", table(head, rows, caption, marked=(0,)), class_="ranking")


def _row(row: pd.Series, decimals: int) -> list[str]:
    gap = words.plus_minus(row["behind"], row["behind_se"], decimals)
    behind = "first" if row["rank"] == 1 else f"≈ {gap}" if row["tied"] else gap
    return [
        f"{row['rank']}\N{NO-BREAK SPACE} {row['optimizer']}",
        words.plus_minus(row["mean"], row["se"], decimals),
        behind,
        words.number(row["learning_rate"]),
        "" if np.isnan(row["momentum"]) else f"{row['momentum']:.3f}",
        f"{row['few']:.{decimals}f}",
        *(words.percent(row[key], 0) for key in ("near_own", "near_all", "useless", "diverged")),
    ]


def _ravine(lesson: list[Walk], walks: list[Walk], num_points: int) -> Markup:
    late = float("inf")
    ordered = sorted(walks, key=lambda walk: (walk.arrival or late, walk.values[-1]))
    alt = "Paths down a ravine at one learning rate: plain descent zig-zags"
    first = ("lesson", ravine_figures.lesson(lesson), alt)
    alt = "Paths of every optimizer down the ravine, each at its best setting"
    second = ("paths", ravine_figures.paths(ordered), alt)
    return sections.section(
        "ravine",
        "The ravine",
        _pictures([first], optimizer_words.lesson(lesson)),
        element("h3", "All of them, tuned"),
        _pictures([second], optimizer_words.paths(walks, num_points)),
    )


def _spaces(names) -> Markup:
    rows = [
        [
            name,
            CONTESTANTS[name].family,
            words.interval(CONTESTANTS[name].low, CONTESTANTS[name].high, words.tidy),
            CONTESTANTS[name].memory or "none",
        ]
        for name in CONTESTANTS
        if name in set(names)
    ]
    caption = (
        "Learning rates are spread by their logarithm over four decades; memory by the logarithm "
        f"of 1 − memory, from 0 to {1 - LEAST_FORGOTTEN:g}. Other numbers keep their defaults."
    )
    content = table(["optimizer", "family", "learning rate", "memory"], rows, caption, texts=4)
    return sections.section("spaces", "What each was given to tune", content)


def _pictures(drawn, caption: str) -> Markup:
    panes = [
        element("div", style.picture(name, figure, alt), class_="scroll", tabindex="0")
        for name, figure, alt in drawn
    ]
    return element(
        "figure", *panes, element("figcaption", element("p", caption)), class_="multiples"
    )


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() and c.isascii() else "-" for c in name)
