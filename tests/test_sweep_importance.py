"""Which settings matter: shares beside scipy's Sobol indices of laws that are known."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.ensemble import RandomForestRegressor

from experiments.sweep import importance

pytestmark = pytest.mark.once

NAMES = ["learning_rate", "momentum", "l2", "warmup"]


def ranked(law, num=256, seed=0):
    """Configurations, best first, whose loss is a law of settings between 0 and 1."""
    drawn = stats.qmc.Sobol(len(NAMES), rng=seed).random(num)
    table = pd.DataFrame(drawn, columns=NAMES).assign(mean=law(drawn.T))
    return table.sort_values("mean", ignore_index=True)


def indices(law):
    """scipy's indices of the rank that the law gives."""
    known = np.sort(law(np.random.default_rng(1).random((len(NAMES), 100_000))))
    options = {"n": 2**12, "dists": [stats.uniform()] * len(NAMES), "rng": 0}
    return stats.sobol_indices(func=lambda x: np.searchsorted(known, law(x)) / 1e5, **options)


@pytest.mark.parametrize(
    ("law", "num"),
    [
        (lambda x: x[0], 64),
        (lambda x: 3 * x[2] + x[0], 256),
        (lambda x: np.exp(3 * x[1]) + 20 * (x[3] > 0.7), 256),
        (lambda x: (x[0] - 0.2) * (x[1] - 0.2), 256),
    ],
)
def test_shares_are_total_effects(law, num):
    found = importance.of(ranked(law, num))
    assert found.explained > 0.9
    totals = dict(zip(NAMES, indices(law).total_order, strict=True))
    for name, (share, error) in found.shares.items():
        assert share == pytest.approx(totals[name], abs=0.08)
        assert 0 <= error < 0.07
    shares = [share for share, _ in found.shares.values()]
    assert shares == sorted(shares, reverse=True)


def test_a_pair_acts_together_where_no_sum_says_what_it_does():
    def law(x):
        return (x[3] - 0.2) * (x[1] - 0.2) + 0.05 * x[2]

    found, true = importance.of(ranked(law)), indices(law)
    assert set(found.together.names) == {"warmup", "momentum"}
    both = true.total_order[3] - true.first_order[3]  # next to no other interaction
    assert found.together.share == pytest.approx(both, abs=0.1)
    assert importance.of(ranked(lambda x: 2 * x[0] + x[1])).together is None


def test_rows_are_judged_by_trees_that_have_not_seen_them():
    rng = np.random.default_rng(0)
    x, y = rng.random((60, 3)).astype(np.float32), rng.random(60)
    forest = importance.Forest(x, y)
    options = {"min_samples_leaf": 2, "random_state": 0, "oob_score": True}
    peer = RandomForestRegressor(importance.TREES, **options).fit(x, y)
    np.testing.assert_allclose(forest.predicted(x[None])[0], peer.oob_prediction_, rtol=1e-9)
    assert forest.explained == pytest.approx(peer.oob_score_)


def test_noise_is_said_to_tell_nothing():
    for seed in range(3):
        noise = np.random.default_rng(seed)
        configs = ranked(lambda x, noise=noise: noise.random(x.shape[1]), 64, seed)
        found = importance.of(configs)
        assert found.explained < importance.LEAST
        assert importance.panels(found) == []
        said = importance.caption(found, configs, "log_loss")
        assert "can't be told from 64 configurations: a random forest predicts nothing" in said


def test_of_very_many_configurations_some_are_taken_evenly(monkeypatch):
    configs = ranked(lambda x: 3 * x[2] + x[0], 512)
    monkeypatch.setattr(importance, "MOST", 256)
    found, taken = importance.of(configs), configs[importance.evenly(configs, 256)]
    assert len(taken) == 256
    assert np.diff(taken.index).max() <= 3
    assert found == importance.of(taken)
    assert "ranks of 256 configurations" in importance.caption(found, configs, "log_loss")


def test_few_configurations_and_one_setting_are_no_question():
    few = ranked(lambda x: x[0], 16)
    assert importance.of(few) is None
    assert importance.caption(None, few, "log_loss") == (
        "16 configurations are too few to tell which settings matter; take at least 20."
    )
    one = ranked(lambda x: x[0], 64)[["learning_rate", "mean"]]
    assert importance.of(one) is None
    assert importance.caption(None, one, "log_loss") == ""
    lost = ranked(lambda x: np.full(x.shape[1], np.nan), 64)
    assert importance.of(lost) is None
    assert importance.caption(None, lost, "log_loss") == ""


def test_ranks_are_scipys_with_the_diverged_last_and_tied():
    means = np.array([0.1, 0.4, np.nan, 0.2, np.nan])  # the last two were pruned
    ranks = importance.ranks(pd.DataFrame({"mean": means}))
    later = np.array([0.1, 0.4, 9, 0.5, 9])
    np.testing.assert_array_equal(ranks, stats.rankdata(later) - 1)


def test_a_number_that_only_one_optimizer_has_is_shuffled_among_its_own():
    configs = ranked(lambda x: x[0] + x[3], 128)
    adam = np.arange(128) % 2 == 0
    configs = configs.assign(optimizer=np.where(adam, "adam", "sgd"), b2=configs["l2"].where(adam))
    names = importance.varying(configs)
    assert names == [*NAMES[:3], "warmup", "b2", "optimizer"]
    x = importance.features(configs, names)
    np.testing.assert_array_equal(x[:, 5], ~adam)
    np.testing.assert_array_equal(np.isnan(x[:, 4]), ~adam)
    versions = importance.Forest(x, np.arange(128.0))._shuffled((0, 4), 3)
    for version in versions:
        np.testing.assert_array_equal(version[~adam], x[~adam])
        pairs = {tuple(pair) for pair in version[adam][:, [0, 4]]}
        assert pairs == {tuple(pair) for pair in x[adam][:, [0, 4]]}
        assert (version[adam, 0] != x[adam, 0]).mean() > 0.9
    assert set(importance.of(configs).shares) == set(names)


def test_bars_and_sentence_say_the_shares():
    configs = ranked(lambda x: 3 * x[2] + x[0])
    found = importance.of(configs)
    ((_, figure, shows),) = importance.panels(found)
    (axes,) = figure.axes
    assert len(shows) > 20
    assert [text.get_text() for text in axes.get_yticklabels()][:2] == ["l2", "learning rate"]
    shares = [share for share, _ in found.shares.values()]
    widths = [bar.get_width() for bar in axes.patches]
    np.testing.assert_allclose(widths, np.maximum(shares, 0))
    texts = [text.get_text() for text in axes.texts]
    assert texts == [f"{100 * max(share, 0):.0f}%" for share in shares]
    said = importance.caption(found, configs, "log_loss")
    assert re.search(r"ranks of 256 configurations.* and explains (\d+)% of", said)[1] == (
        f"{100 * found.explained:.0f}"
    )
