"""How many evaluations each solver needs, beside scipy's method of the same kind, in float64.

Both are asked for the same largest derivative. A look is one value with its gradient; scipy's
counts are nfev, or njev where that is larger. Counts do not depend on the machine, so no time is
taken here.

    python -m experiments.benchmarks.solvers
"""

import functools
import json
import warnings
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)  # before any array is made

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import scipy.optimize  # noqa: E402

from experiments.benchmarks import machine, solver_problems  # noqa: E402
from experiments.benchmarks.solver_problems import LOGISTIC, NAMES, PROBLEMS, STARTS  # noqa: E402
from jaxlr import solvers  # noqa: E402

RESULTS = Path(__file__).parent / "results"
TOL = float(jnp.finfo(jnp.float64).eps) ** (2 / 3)
MAX_STEPS = 2000
PEERS = {  # ours: scipy's, and how it is told the tolerance
    "nonlinear_cg": ("CG", {"gtol": TOL}),
    "bfgs": ("BFGS", {"gtol": TOL}),
    "lbfgs": ("L-BFGS-B", {"gtol": TOL, "ftol": 0, "maxfun": 10 * MAX_STEPS}),
    "newton_cg": ("Newton-CG", {"xtol": 1e-12}),
    "newton": ("trust-exact", {"gtol": TOL}),
}


def of_test_functions(name):
    """Our endings on every test function: lanes of one program."""

    def run(x, which):
        solver = getattr(solvers, name)()
        objective = solver_problems.objective
        return solvers.minimise(solver, objective, x, which, max_steps=MAX_STEPS)

    end = jax.jit(jax.vmap(run))(jnp.asarray(STARTS), jnp.arange(len(NAMES)))
    return {problem: jax.tree.map(lambda x, i=i: x[i], end) for i, problem in enumerate(NAMES)}


def of_logistic(name, kind):
    """Our ending on one logistic problem."""
    x, labels, l2 = solver_problems.logistic_examples(kind)
    params = {"w": jnp.zeros(x.shape[1]), "b": jnp.zeros([])}

    @jax.jit
    def run(*args):
        solver, risk = getattr(solvers, name)(), solver_problems.logistic_risk
        return solvers.minimise(solver, risk, *args, max_steps=MAX_STEPS)

    return run(params, x, labels, l2)


def functions(problem):
    """Objective x [n] -> [], in jax, and start, of a test function or a logistic problem."""
    if problem in PROBLEMS:
        return functools.partial(solver_problems.value, jnp, problem), PROBLEMS[problem].start
    x, labels, l2 = solver_problems.logistic_examples(problem)

    def risk(w):
        params = {"w": w[:-1], "b": w[-1]}
        return solver_problems.logistic_risk(params, x, labels, l2)

    return risk, np.zeros(x.shape[1] + 1)


@functools.cache
def derivatives(problem):
    """Value with gradient, and Hessian, compiled for scipy to call."""
    objective, _ = functions(problem)
    return jax.jit(jax.value_and_grad(objective)), jax.jit(jax.hessian(objective))


def of_scipy(name, problem):
    """scipy's ending, from the same value, gradient and Hessian."""
    method, options = PEERS[name]
    both, hessian = derivatives(problem)
    curvature = {"hess": lambda x: np.asarray(hessian(x))} if "newton" in name else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where it stalls, scipy warns as well as says so
        return scipy.optimize.minimize(
            lambda x: float(both(x)[0]),
            np.array(functions(problem)[1]),
            jac=lambda x: np.asarray(both(x)[1]),
            method=method,
            options={"maxiter": MAX_STEPS, **options},
            **curvature,
        )


def row(name, problem, ours):
    """One line of the table."""
    theirs = of_scipy(name, problem)
    both, _ = derivatives(problem)
    return {
        "solver": name,
        "problem": problem,
        "status": solvers.Status(int(ours.status)).name,
        "value": float(ours.value),
        "gradient_norm": float(ours.gradient_norm),
        "steps": int(ours.num_steps),
        "looks": int(ours.counts.values),
        "hessian_products": int(ours.counts.hessian_products),
        "scipy_success": bool(theirs.success),
        "scipy_value": float(theirs.fun),
        "scipy_gradient_norm": float(np.abs(both(theirs.x)[1]).max()),
        "scipy_steps": int(theirs.nit),
        "scipy_looks": int(max(theirs.nfev, theirs.njev)),
    }


def table(rows):
    """The rows as Markdown, a section per solver."""
    lines = ["# Evaluations to the minimum, beside scipy's", ""]
    lines += [" ".join(__doc__.split("\n\n")[1].split()), ""]
    lines += [f"Asked for: no derivative above {TOL:.1e}, within {MAX_STEPS} steps."]
    for name, (method, _) in PEERS.items():
        lines += ["", f"## {name} and scipy's {method}", ""]
        lines += ["| problem | status | value | gradient | steps | looks | H·v |"]
        lines[-1] += " scipy value | gradient | steps | looks |"
        lines += ["|---|---|" + "--:|" * 9]
        for r in (r for r in rows if r["solver"] == name):
            ours = f"{r['value']:.8g} | {r['gradient_norm']:.0e} | {r['steps']} | **{r['looks']}**"
            theirs = f"{r['scipy_value']:.8g} | {r['scipy_gradient_norm']:.0e}"
            theirs += f" | {r['scipy_steps']} | {r['scipy_looks']}"
            products = r["hessian_products"]
            lines += [f"| {r['problem']} | {r['status']} | {ours} | {products} | {theirs} |"]
    return "\n".join(lines) + "\n"


def main():
    """Runs everything, and writes results/solvers.json and results/solvers.md."""
    rows = []
    for name in PEERS:
        ends = of_test_functions(name) | {kind: of_logistic(name, kind) for kind in LOGISTIC}
        rows += [row(name, problem, end) for problem, end in ends.items()]
        print(name, sum(r["looks"] for r in rows if r["solver"] == name), flush=True)
    record = {**machine.description("scipy"), "tol": TOL, "max_steps": MAX_STEPS, "rows": rows}
    (RESULTS / "solvers.json").write_text(json.dumps(record, indent=1) + "\n")
    (RESULTS / "solvers.md").write_text(table(rows))


if __name__ == "__main__":
    main()
