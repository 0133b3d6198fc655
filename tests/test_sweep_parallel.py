"""Parallel coordinates: lines and ticks where matplotlib's own scales have them."""

import re

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import LogNorm, Normalize, to_hex

from experiments.kit import style, words
from experiments.sweep import landscape, parallel

pytestmark = pytest.mark.once


def made(num=40, lost=5):
    """Configurations, best first, of two optimizers, one of which has no b2."""
    rng = np.random.default_rng(num)
    table = pd.DataFrame({"config": rng.permutation(num)})
    table["learning_rate"], table["momentum"] = 10 ** rng.uniform(-4, 2, num), rng.random(num)
    table["b2"] = np.where(np.arange(num) % 2, 1 - 10 ** rng.uniform(-4, -1, num), np.nan)
    table["optimizer"] = np.where(np.arange(num) % 2, "adam", "sgd")
    table["mean"] = np.sort(rng.uniform(0.1, 3, num))
    table.loc[table.index[num - lost :], "mean"] = np.nan
    return table.assign(se=0.01, batch_size=64)


@pytest.fixture(scope="module")
def drawn():
    """(configurations, chosen one, axes)."""
    configs = made()
    chosen = configs["config"].iloc[2]
    with matplotlib.rc_context(style.RC):
        ((_, figure, shows),) = parallel.panels(configs, "log_loss", 1.0, chosen)
    assert "learning rate, momentum, b2 and optimizer" in shows
    return configs, chosen, figure.axes[0]


def lines_of(collection):
    return np.array([path.vertices[:, 1] for path in collection.get_paths()])


def test_a_line_lies_where_its_numbers_are(drawn):
    configs, _, axes = drawn
    lost, rest, first, _ = map(lines_of, axes.collections)
    up = np.concatenate([lost, rest, first])[::-1]  # the best are drawn last
    rate, forgets = configs["learning_rate"], 1 - configs["b2"]
    np.testing.assert_allclose(up[:, 0], LogNorm(rate.min(), rate.max())(rate))
    momentum = configs["momentum"]
    np.testing.assert_allclose(up[:, 1], Normalize(momentum.min(), momentum.max())(momentum))
    known = forgets.notna()
    places = LogNorm(forgets.min(), forgets.max())(forgets[known])
    np.testing.assert_allclose(up[known, 2], places, atol=1e-6)
    assert (up[~known, 2] < 0).all()
    adam = (configs["optimizer"] == "adam").to_numpy()
    assert ((up[:, 3] < 0.5) == adam).all()
    for kind in (adam, ~adam):
        assert (np.diff(up[kind, 3]) > 0).all()  # side by side, by rank
    alive = configs["mean"].notna()
    top = landscape.loss_norm(configs["mean"], 1.0).vmax
    losses = configs["mean"][alive].clip(upper=top)
    np.testing.assert_allclose(up[alive, 4], LogNorm(losses.min(), top)(losses))
    assert (up[~alive, 4] > 1).all()
    assert len(first) == 4  # of 35


def test_lines_have_the_colours_of_the_landscape(drawn):
    configs, chosen, axes = drawn
    lost, rest, first, marked = axes.collections
    assert {to_hex(colour) for colour in lost.get_edgecolor()} == {style.MUTED}
    assert lost.get_linestyle()[0][1] is not None
    norm = landscape.loss_norm(configs["mean"], 1.0)
    places = 0.35 + 0.65 * norm(configs["mean"].iloc[4:35]).clip(max=1)
    colours = style.MAGNITUDE(places)[::-1, :3]  # all but the darkest
    np.testing.assert_allclose(rest.get_edgecolor()[:, :3], colours, atol=0.02)
    assert {to_hex(colour) for colour in first.get_edgecolor()} == {style.ACCENT}
    assert to_hex(marked.get_edgecolor()[0]) == style.INK
    place = configs.index[configs["config"] == chosen][0]
    np.testing.assert_array_equal(lines_of(marked)[0], lines_of(first)[::-1][place])


def test_ticks_say_the_numbers_of_their_places(drawn):
    configs, _, axes = drawn
    ranges = {0: configs["learning_rate"], 2: 1 - configs["b2"]}
    ticks = [text for text in axes.texts if text.get_fontweight() != "bold"]
    for x, numbers in ranges.items():
        here = [(text.xy[1], text.get_text()) for text in ticks if text.xy[0] == x]
        here = [(place, text) for place, text in here if text != "none"]
        assert len(here) >= 3
        places, said = zip(*here, strict=True)
        scale = LogNorm(numbers.min(), numbers.max())
        np.testing.assert_allclose(places, scale(np.array(said, float)), atol=1e-6)
    assert {text.get_text() for text in ticks if text.xy[0] == 3} == {"adam", "sgd"}
    titles = [text.get_text().replace("\n", " ") for text in axes.texts if text not in ticks]
    assert titles[:4] == ["learning rate", "momentum", "1 − b2", "optimizer"]
    assert titles[4] == "validation log-loss (nats)"


def test_of_many_lines_some_are_drawn_evenly_and_the_chosen_one():
    configs = made(2000)
    chosen = configs["config"].iloc[1001]
    kept = parallel.kept(configs, chosen)
    assert 300 <= len(kept) <= 301
    assert chosen in set(kept["config"])
    assert np.diff(kept.index).max() <= 7
    assert kept.index[0] == 0
    said = parallel.caption(configs, "log_loss", 1.0)
    assert "(300 of 2,000, evenly by rank)" in said
    assert len(parallel.kept(made(), None)) == 40
    assert parallel.first(configs).sum() == 200  # of 1,995, rounded up
    assert parallel.first(made(6)).sum() == 1  # five diverged


def test_the_caption_says_where_the_best_are():
    configs = made().assign(batch_size=np.arange(40) % 2 * 32 + 32)
    best = configs.nsmallest(4, "mean")
    said = parallel.caption(configs, "log_loss", 1.0)
    rates = words.interval(best["learning_rate"].min(), best["learning_rate"].max())
    assert f"The best 4 of 35 have learning rate {rates}, " in said
    assert "optimizer" not in said  # they have both
    only = configs.assign(optimizer=np.where(np.arange(40) < 4, "adam", "sgd"))
    assert "and optimizer adam." in parallel.caption(only, "log_loss", 1.0)
    assert re.search(r"Dashed: 5 configurations diverged", said)
    above = configs["mean"].max() > 1
    assert above == ("losses above 1.00 are drawn at the top" in said)


def test_nothing_is_drawn_where_nothing_is_compared():
    configs = made()
    assert parallel.panels(configs.iloc[:1], "log_loss", 1.0, 0) == []
    assert parallel.panels(configs[["config", "learning_rate", "mean"]], "log_loss", 1.0, 0) == []
    assert parallel.panels(configs.assign(mean=np.nan), "log_loss", 1.0, None) == []
