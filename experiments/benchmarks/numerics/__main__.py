"""The worst error of each function and its derivatives, ours and others', in ulps.

Against mpmath, at every exponent of every format and at the points where formulas break. The
naive formulas are there to see where they die; what the last bits cost in time stands below.
Ends with status 1 if a bound of ours does not hold.

    python -m experiments.benchmarks.numerics
    python -m experiments.benchmarks.numerics --no-speed
"""

import argparse
import sys
import warnings

import jax

jax.config.update("jax_enable_x64", True)  # before any array is made

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from experiments.benchmarks import machine, tables  # noqa: E402
from experiments.benchmarks.numerics import figures, peers, problems, speed  # noqa: E402
from tests.truth import exact  # noqa: E402

FORMATS = [jnp.dtype(d) for d in (jnp.float16, jnp.bfloat16, jnp.float32, jnp.float64)]
ORDERS = ("value", "slope", "curvature")


def bound(function: str, order: int, dtype: np.dtype) -> float | None:
    """What we promise, in ulps."""
    is_row = function.startswith(problems.ROWS)
    if dtype.itemsize < 4:
        # The second derivative of a row goes through a first one rounded to 16 bits.
        return None if is_row and order == 2 else 1.0
    return 8.0 if is_row or order == 2 else 4.0


def cells(problem: problems.Problem) -> list[dict]:
    """One for every contestant and order."""
    dtype, rows = problem.arguments.dtype, []
    contestants = peers.contestants(problem.function, problem.label)
    for order, name in enumerate(ORDERS):
        for peer, answer in contestants.items():
            found = None if problem.exact[order] is None else answer(order, problem.arguments)
            if found is None:
                continue
            about = {"format": str(dtype), "function": problem.function, "order": name}
            judged = judge(
                found, problem, order, problem.size if peer == "naive" else problem.where
            )
            limit = bound(problem.function, order, dtype) if peer == "jaxlr" else None
            rows.append({**about, "peer": peer, **judged, "bound": limit})
    return rows


def judge(found: np.ndarray, problem: problems.Problem, order: int, where: np.ndarray) -> dict:
    """Worst error among living answers, where; and how and nearest to what the others died."""
    right, dtype = problem.exact[order], problem.arguments.dtype
    found = np.asarray(found).astype(np.float64).ravel()
    errors = exact.ulp_errors(found, right, dtype)
    where = np.repeat(where.astype(np.float64), len(found) // len(where))
    deaths = {
        "NaN": np.isnan(found),
        "inf": np.isinf(found) & (errors > 0.5),
        "0": (found == 0) & (right.exponent > jnp.finfo(dtype).minexp),
    }
    dead = np.logical_or.reduce(list(deaths.values()))
    living = np.where(dead, 0, errors)
    worst = int(np.argmax(living))
    return {
        "worst_ulp": float(living[worst]),
        "at": float(where[worst]),
        "share_dead": float(dead.mean()),
        "dies": {
            kind: float(min(where[died], key=abs)) for kind, died in deaths.items() if died.any()
        },
    }


def broken(rows: list[dict]) -> list[str]:
    """A sentence for each bound of ours that does not hold."""
    return [
        f"{r['function']} in {r['format']}: its {r['order']} is {r['worst_ulp']:.2f} ulp off at"
        f" {r['at']:.6g}, dies {r['dies'] or 'nowhere'}, and is bound to {r['bound']:g} ulp."
        for r in rows
        if r["bound"] is not None and (r["worst_ulp"] > r["bound"] or r["dies"])
    ]


def main():
    """Measures, writes results/numerics.{json,md,svg}, and ends with 1 if a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-speed", action="store_true", help="leave the paired times out")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)  # peers overflow; the table says where
    rows = []
    for dtype in FORMATS:
        rows += [cell for problem in problems.of_format(dtype) for cell in cells(problem)]
        print(f"{dtype}: {sum(row['format'] == str(dtype) for row in rows)} cells", flush=True)
    results = {
        "machine": machine.description("optax", "scipy", "torch", "mpmath"),
        "cells": rows,
        "curves": figures.curves(),
        "speed": [] if arguments.no_speed else speed.measure(),
    }
    figure = figures.small_multiples(results["curves"])
    told = figures.told(results)
    tables.publish("numerics", results, "numerics/page.md", figure, **told)
    sys.exit("\n".join(broken(rows)) or 0)


if __name__ == "__main__":
    main()
