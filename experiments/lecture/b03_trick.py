"""B3. The logistic trick: what the textbook's formula does in each format, and the one that stands.

Question: where does -log σ(z) break when it is computed as it is written?
Finding: in float32 outside (-89, 17), its slope by the machine from -44; max(-z, 0) +
  log1p(exp(-|z|)) nowhere.
"""

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.patches import Rectangle

from experiments.kit import style, words
from experiments.lecture import ulps
from jaxlr import activations, losses

FORMATS = {
    "float16": np.dtype(np.float16),
    "bfloat16": np.dtype(jnp.bfloat16),
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
}
LOGITS = np.array([1000, 999, 997], np.float32)
SLOPES_AT = (-100.0, -50.0, 2.0, 20.0)


def facts(mail=None) -> dict:
    """The first failures of each format, the errors in ulps, slopes, and a softmax."""
    with jax.enable_x64(True):
        rows = {name: _failures(dtype) for name, dtype in FORMATS.items()}
        curves = {name: _curves(dtype) for name, dtype in FORMATS.items()}
    z = jnp.asarray(SLOPES_AT, jnp.float32)
    slopes = (
        jax.vmap(jax.grad(_naive_in_jax))(z),
        jax.vmap(jax.grad(losses.log_loss), (0, None))(z, 1),
    )
    with np.errstate(all="ignore"):
        exponentials = np.exp(LOGITS)
        by_hand = 1 / (1 + np.exp(-np.asarray(z))) - 1
        softmax = exponentials / exponentials.sum()
    return {
        "rows": rows,
        "curves": curves,
        "worst": {name: max(curve["ours"]) for name, curve in curves.items()},
        "slopes": np.stack([z, slopes[0], by_hand, slopes[1]], axis=1).tolist(),
        "logits": LOGITS.tolist(),
        "softmax": softmax.tolist(),
        "ours": activations.softmax(LOGITS).tolist(),
        "logs": activations.log_softmax(LOGITS).tolist(),
        "play": {"z": -20, "format": "float32", "tries": [-100, -50, -12, 0.1, 9, 20, 40]},
    }


def naive(z: np.ndarray) -> np.ndarray:
    """-log(1 / (1 + exp(-z))) in the format of z, one rounding after another."""
    one = z.dtype.type(1)
    with np.errstate(all="ignore"):
        return -np.log(one / (one + np.exp(-z)))


def literal(z: np.ndarray) -> np.ndarray:
    """max(-z, 0) + log(1 + exp(-|z|)) in the format of z, 1 + e formed and rounded."""
    zero, one = z.dtype.type(0), z.dtype.type(1)
    return np.maximum(-z, zero) + np.log(one + np.exp(-abs(z)))


def _naive_in_jax(z):
    return -jnp.log(1 / (1 + jnp.exp(-z)))


def _failures(dtype) -> dict:
    """The format, and the z nearest to 0 from which something is lost."""
    info, slope = jnp.finfo(dtype), jax.grad(_naive_in_jax)
    with np.errstate(all="ignore"):
        return {
            "bits": info.bits,
            "largest": float(info.max),
            "half": float(info.eps) / 2,
            "overflow": ulps.first(dtype, -1, lambda z: np.isinf(np.exp(-z)).all()),
            "dead": ulps.first(dtype, -1, lambda z: np.isinf(naive(z)).all()),
            # exact: about -1
            "slope": ulps.first(
                dtype, -1, lambda z: z[0] < -1 and not slope(jnp.asarray(z[0])) < -0.5
            ),
            "one": ulps.first(dtype, 1, lambda z: (naive(z) == 0).all()),
        }


def _curves(dtype) -> dict:
    """The worst error in ulps around each z, while the answer is a normal number."""
    info = jnp.finfo(dtype)
    ends = -1.2 * np.log(float(info.max)), -0.99 * np.log(float(info.tiny))
    z = np.linspace(*ends, 100 * 5).astype(dtype)
    exact = [ulps.log_loss(float(one)) for one in z]
    ours = jax.jit(jax.vmap(lambda z: losses.log_loss(z, 1)))(z)
    drawn = {"naive": naive(z), "literal": literal(z), "ours": np.asarray(ours)}
    errors = {name: ulps.errors(found, exact, dtype) for name, found in drawn.items()}
    worst = {name: e.reshape(100, 5).max(axis=1).tolist() for name, e in errors.items()}
    return worst | {"z": z.astype(float).reshape(100, 5)[:, 2].tolist()}


def figures(facts: dict, say) -> dict:
    """Where each format works, and how many ulps each formula is off."""
    drawn = {f"ulps_{name}": _ulps(name, curve, say) for name, curve in facts["curves"].items()}
    return drawn | {"map": _map(facts["rows"], say)}


def _map(rows, say):
    figure, axes = style.panel(5.8, 4.4)
    for y, row in enumerate(reversed(rows.values())):
        zones = (
            (-2000, row["dead"], style.WARM, 0.75),
            (row["dead"], row["slope"], style.WARM, 0.25),
        )
        zones += (
            (row["slope"], row["one"], style.ACCENT, 0.2),
            (row["one"], 2000, style.MUTED, 0.4),
        )
        for left, right, color, alpha in zones:
            axes.add_patch(
                Rectangle((left, y - 0.2), right - left, 0.4, color=color, alpha=alpha, lw=0)
            )
        for z, place, va in (
            (row["dead"], 0.23, "bottom"),
            (row["slope"], -0.23, "top"),
            (row["one"], 0.23, "bottom"),
        ):
            text = f"{z:.1f}".replace("-", words.MINUS)
            axes.text(z, y + place, text, ha="center", va=va, fontsize=9.5)
    axes.set_xscale("symlog", linthresh=4, linscale=0.5)
    ticks = [-1000, -100, -10, 0, 10, 100, 1000]
    axes.set_xticks(ticks, [f"{t}".replace("-", words.MINUS) for t in ticks])
    axes.set_xticks([], minor=True)
    axes.set(xlim=(-2000, 2000), ylim=(-0.55, len(rows)), xlabel="z")
    axes.set_yticks(range(len(rows)), list(reversed(rows)))
    axes.grid(False)
    top = len(rows) - 0.25
    for z, text in (
        (-300, say("−ln σ = ∞", "−ln σ = ∞")),
        (0, say("works", "работает")),
        (300, say("loss = 0", "потери = 0")),
    ):
        axes.text(z, top, text, ha="center", va="bottom", color=style.INK)
    return figure, say(
        "Where the naive formula works in each format",
        "Где работает наивная формула в каждом формате",
    )


def _ulps(name, curve, say):
    figure, axes = style.panel(5.8, 3.6)
    z = np.array(curve["z"])
    top = 30 * max(e for e in curve["literal"] if np.isfinite(e))
    looks = {
        "naive": (style.WARM, "-", say("as written", "как написано")),
        "literal": (style.MUTED, "--", "max(−z, 0) + ln(1 + e)"),
        "ours": (style.ACCENT, "-", "jaxlr"),
    }
    for key, (color, dashes, label) in looks.items():
        shown = np.clip(curve[key], 0.1, top)
        axes.plot(
            z, shown, color=color, ls=dashes, lw=2.2 if key != "literal" else 1.6, label=label
        )
    style.log_axis(axes, "y", 0.1, top)
    dead = z[~np.isfinite(curve["naive"])].max()
    axes.text((z[0] + dead) / 2, top / 3, "∞", color=style.WARM, ha="center", va="top", fontsize=14)
    axes.legend(loc="center left", bbox_to_anchor=(0.14, 0.5))
    axes.set(xlabel="z", title=name)
    axes.set_ylabel(say("error, ulps", "ошибка, ulp"))
    return figure, say(f"Errors in {name}", f"Ошибки во {name}")
