"""The optimizers that the lectures' pages run in the browser are jaxlr's, step by step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.lecture import a03_momentum, descents, memory_sweep
from experiments.optimizers import ravine
from jaxlr import optimizers
from tests.lecture_browser import ends, needs_chromium, played
from tests.test_optimizers_trajectories import walk

pytestmark = pytest.mark.float64

MOST = 500  # steps that the page looks at

# What the page is asked for beside the same optimizer of the library.
CASES = [
    ("sgd", {"learning_rate": 0.3}, optimizers.sgd(0.3)),
    ("sgd", {"learning_rate": 0.3, "momentum": 0.7}, optimizers.sgd(0.3, 0.7)),
    ("sgd", {"learning_rate": 0.3, "momentum": 0.0}, optimizers.sgd(0.3, 0.0)),
    ("momentum", {"learning_rate": 0.3}, optimizers.sgd(0.3, 0.9)),
    ("nesterov", {"learning_rate": 0.3}, optimizers.sgd(0.3, 0.9, nesterov=True)),
    ("momentum_ema", {"learning_rate": 0.3}, optimizers.momentum_ema(0.3)),
    ("momentum_ema", {"learning_rate": 0.3, "decay": 0.5}, optimizers.momentum_ema(0.3, 0.5)),
    ("adagrad", {"learning_rate": 0.3}, optimizers.adagrad(0.3)),
    (
        "adagrad",
        {"learning_rate": 0.3, "initial_accumulator_value": 0.0, "eps": 1e-3},
        optimizers.adagrad(0.3, 0.0, 1e-3),
    ),
    ("adadelta", {}, optimizers.adadelta()),
    (
        "adadelta",
        {"learning_rate": 0.3, "rho": 0.7, "eps": 1e-3},
        optimizers.adadelta(0.3, 0.7, 1e-3),
    ),
    ("rmsprop", {"learning_rate": 0.3}, optimizers.rmsprop(0.3)),
    (
        "rmsprop",
        {"learning_rate": 0.3, "decay": 0.5, "eps": 1e-2, "eps_in_sqrt": False},
        optimizers.rmsprop(0.3, 0.5, 1e-2, eps_in_sqrt=False),
    ),
    ("adam", {"learning_rate": 0.3}, optimizers.adam(0.3)),
    (
        "adam",
        {"learning_rate": 0.3, "b1": 0.8, "b2": 0.7, "eps": 1e-2, "eps_root": 1e-3},
        optimizers.adam(0.3, 0.8, 0.7, 1e-2, 1e-3),
    ),
]

WALK = """async ([cases, params, grads]) => {
  const { optimizer } = await import("lecture/optimizers");
  return cases.map(([name, hyper]) => {
    const { init, update } = optimizer(name, hyper);
    let state = init(params), updates;
    return grads.map((g) => { [updates, state] = update(g, state, params); return updates; });
  });
}"""


@needs_chromium
def test_the_pages_optimizers_take_the_librarys_steps(tmp_path):
    rng = np.random.default_rng(3)
    grads = rng.normal(size=(60, 5)) * 10.0 ** rng.uniform(-3, 3, (60, 1))
    grads[rng.random(grads.shape) < 0.2] = 0.0
    grads[:5, 0] = 0.0  # a coordinate that nothing has moved yet
    params = jnp.zeros(5)
    ours = jax.jit(lambda w, g: [walk(case[2], w, g) for case in CASES])(params, jnp.asarray(grads))
    asked = [case[:2] for case in CASES]
    with played("ravine", {}, tmp_path) as page:
        theirs = page.evaluate(WALK, [asked, params.tolist(), grads.tolist()])
    for case, our, their in zip(asked, ours, theirs, strict=True):
        np.testing.assert_allclose(their, our, rtol=1e-6, atol=1e-12, err_msg=str(case))


@needs_chromium
def test_each_name_is_an_optimizer_with_two_labels_and_numbers_that_it_takes(tmp_path):
    with played("ravine", {}, tmp_path) as page:
        names = page.evaluate('import("lecture/optimizers").then((m) => m.names)')
    assert list(names) == list(dict.fromkeys(case[0] for case in CASES))
    for name in names.values():
        assert len(name["label"]) == 2
        assert "learning_rate" in name["takes"]


MEMORIES = {"momentum_ema": "decay", "adadelta": "rho", "rmsprop": "decay", "adam": "b1"}


def library(method, rate, beta):
    """What the page's method, α and β are in the library."""
    if method in ("momentum", "nesterov"):
        return optimizers.sgd(rate, beta, nesterov=method == "nesterov")
    given = {MEMORIES[method]: beta} if method in MEMORIES else {}
    return getattr(optimizers, method)(rate, **given)


NUMBERS = [  # rate, β, κ and where it starts, y
    {"rate": 0.3, "beta": 0.9, "condition": ravine.CONDITION, "y": -0.92},
    {"rate": 1.0, "beta": 0.6, "condition": 300.0, "y": 2.0},
]


def walked(methods):
    """{method: [2, T + 1, 2]} the library's paths for NUMBERS, down the page's ravines."""
    hypers = {name: jnp.array([row[name] for row in NUMBERS]) for name in NUMBERS[0]}
    axes = jnp.asarray(np.stack([ravine.ALONG, ravine.ACROSS]))

    def path(method, hyper):
        def value(w, hyper):
            along, across = axes @ w
            return 0.5 * (along**2 / hyper["condition"] + across**2)

        start = jnp.stack([jnp.array(-6.05), hyper["y"]])
        one = jax.tree.map(lambda number: number[None], hyper)
        make = lambda h: library(method, h["rate"], h["beta"])  # noqa: E731
        return descents.paths(make, one, value, start, MOST)[0]

    def run(hypers):
        return {m: jax.vmap(lambda hyper, m=m: path(m, hyper))(hypers) for m in methods}

    return jax.tree.map(np.asarray, jax.jit(run)(hypers))


@needs_chromium
def test_the_pages_paths_down_the_ravine_are_the_librarys(tmp_path):
    methods = {case[0]: None for case in CASES}
    ours = walked(methods)
    common = {"angle": float(ravine.ANGLE), "x": -6.05}
    asked = {m: [common | row | {"method": m} for row in NUMBERS] for m in methods}
    with played("ravine", {}, tmp_path) as page:
        theirs = page.evaluate(PAGES_WALKS, asked)
    for method in methods:
        for our, their in zip(ours[method], theirs[method], strict=True):
            assert not their["diverged"]
            # Of the path's size: a coordinate that crosses 0 has no relative error to speak of.
            np.testing.assert_allclose(their["path"], our, rtol=1e-6, atol=1e-6, err_msg=method)
        path = ours[method][0]
        walk = ravine.Walk(method, {}, path, ravine.value(path))
        their = theirs[method][0]
        np.testing.assert_allclose(their["values"], walk.values, rtol=1e-6, atol=1e-7)
        assert their["arrival"] == walk.arrival
        assert their["turns"] == ravine.Walk(method, {}, path[:41], walk.values[:41]).turns


PAGES_WALKS = """(asked) => {
  const walked = (setting) => {
    const walk = play.trajectory(setting);
    const turns = play.turns(walk.path.slice(0, 41), setting.angle);
    return { ...walk, turns, arrival: play.arrival(walk.values) };
  };
  const entries = Object.entries(asked).map(([name, settings]) => [name, settings.map(walked)]);
  return Object.fromEntries(entries);
}"""


@needs_chromium
def test_the_page_answers_the_hand_and_its_address_brings_the_picture_back(tmp_path):
    address = "#play:method=momentum&rate=3.9&beta=nonsense&condition=-1&steps=7"
    with played("ravine", a03_momentum.PLAY, tmp_path, address=address) as page:
        assert page.evaluate("location.hash") == "#play:method=momentum&rate=3.9&steps=7"
        note = page.locator(".note")
        assert page.locator(".numbers").inner_text().startswith("step 7 ·")
        assert "Diverges" in note.inner_text() or "Within" in note.inner_text()
        assert page.locator("select").input_value() == "momentum"
        assert page.locator("label:has-text('β') output").inner_text() == "0.9"
        page.locator("select").select_option("sgd")
        assert "Diverges" in note.inner_text()  # 3.9 is beyond 2 / (largest curvature)
        page.locator("[role=slider]").focus()
        for key in ("Shift+ArrowRight", "ArrowRight", "ArrowUp"):  # it keeps the focus
            page.keyboard.press(key)
        start = page.locator("[role=slider]")
        assert start.get_attribute("aria-valuetext") == "w₁ = −4.95, w₂ = −0.824"
        page.get_by_role("button", name="One step").click()
        page.wait_for_function("location.hash.includes('steps=8')")
        assert "x=-4.9" in page.evaluate("location.hash")
        page.locator(".play svg").first.click()  # its middle
        assert float(start.get_attribute("aria-valuenow")) > -3
        page.get_by_role("button", name="Reset").click()
        page.wait_for_function("location.hash === ''")
        assert "from step" in note.inner_text()
        page.get_by_role("button", name="To the start").click()
        page.get_by_role("button", name="Run").click()
        page.wait_for_function(
            "!document.querySelector('.numbers').textContent.startsWith('step 0')"
        )
        page.locator("select").select_option("adam")
        assert ends(page) == [["0.01", "100"], ["0", "0.99"], ["1", "1000"]]


def test_polyaks_beta_shrinks_every_direction_of_the_ravine_alike():
    """One step of the heavy ball is linear in (w, v): its eigenvalues are at most √β in size."""
    condition = 50.0
    beta = memory_sweep.polyak(condition)
    rate = 4 / (1 + condition**-0.5) ** 2
    for make in (
        lambda: optimizers.sgd(rate, beta),
        lambda: optimizers.momentum_ema(rate / (1 - beta), beta),
    ):
        rule = make()

        def step(both, rule=rule):
            w, v = both
            curvature = jnp.array([1 / condition, 1.0])
            updates, state = rule.update(curvature * w, rule.init(w)._replace(velocity=v))
            return jnp.stack([w + updates, state.velocity])

        matrix = jax.jacobian(step)(jnp.zeros((2, 2))).reshape(4, 4)
        sizes = np.abs(np.linalg.eigvals(matrix))
        np.testing.assert_allclose(sizes, beta**0.5, rtol=1e-6)  # double roots: √eps
    assert memory_sweep.suited(beta) == pytest.approx(condition)
