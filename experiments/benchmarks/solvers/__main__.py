"""How many evaluations each solver needs, beside scipy's method of the same kind, in float64.

Both are asked for the same largest derivative. A look is one value with its gradient; scipy's
counts are nfev, or njev where that is larger. Counts do not depend on the machine, so no time is
taken here. scipy has no gradient descent; ours stands beside its CG.

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
TOL_32 = 1e-6  # below the default, which leaves a flat valley with four digits
OURS = {
    "gradient_descent": solvers.gradient_descent(),
    "gradient_descent, not scaled": solvers.gradient_descent(scaled=False),
    "nonlinear_cg": solvers.nonlinear_cg(),
    "nonlinear_cg, not scaled": solvers.nonlinear_cg(scaled=False),
    "bfgs": solvers.bfgs(),
    "lbfgs": solvers.lbfgs(),
    "newton_cg": solvers.newton_cg(),
    "newton": solvers.newton(),
}
PEERS = {  # ours: scipy's, and how it is told the tolerance
    "gradient_descent": ("CG", {"gtol": TOL}),
    "gradient_descent, not scaled": ("CG", {"gtol": TOL}),
    "nonlinear_cg": ("CG", {"gtol": TOL}),
    "nonlinear_cg, not scaled": ("CG", {"gtol": TOL}),
    "bfgs": ("BFGS", {"gtol": TOL}),
    "lbfgs": ("L-BFGS-B", {"gtol": TOL, "ftol": 0, "maxfun": 10 * MAX_STEPS}),
    "newton_cg": ("Newton-CG", {"xtol": 1e-12}),
    "newton": ("trust-exact", {"gtol": TOL}),
}


def endings(name, dtype, tol):
    """Our ending on every problem: test functions as lanes of one program, then logistic risks."""
    options = {"tol": tol, "max_steps": MAX_STEPS}

    def run(x, which):
        return solvers.minimise(OURS[name], solver_problems.objective, x, which, **options)

    end = jax.jit(jax.vmap(run))(jnp.asarray(STARTS, dtype), jnp.arange(len(NAMES)))
    ends = {problem: jax.tree.map(lambda x, i=i: x[i], end) for i, problem in enumerate(NAMES)}
    for kind in LOGISTIC:
        x, labels, l2 = (jnp.asarray(a, dtype) for a in solver_problems.logistic_examples(kind))
        params = {"w": jnp.zeros(x.shape[1], dtype), "b": jnp.zeros([], dtype)}
        least = functools.partial(
            solvers.minimise, OURS[name], solver_problems.logistic_risk, **options
        )
        ends[kind] = jax.jit(least)(params, x, labels, l2)
    return ends


def error(problem, value):
    """How far above the minimum, relative to it where it is above 1 or a risk, and not 0."""
    if problem in PROBLEMS:
        return min(abs(value - m) / max(1, m) for m in PROBLEMS[problem].minima)
    least = of_scipy("newton", problem).fun
    return abs(value - least) / least


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


@functools.cache
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


def row(name, problem, ours, narrow):
    """One line of the table: our endings in float64 and, `narrow`, in float32."""
    theirs = of_scipy(name, problem)
    both, _ = derivatives(problem)
    return {
        "solver": name,
        "problem": problem,
        "status": solvers.Status(int(ours.status)).name,
        "value": float(ours.value),
        "error": error(problem, float(ours.value)),
        "gradient_norm": float(ours.gradient_norm),
        "float32_error": error(problem, float(narrow.value)),
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
    lines += [f"Asked for: no derivative above {TOL:.1e}, within {MAX_STEPS} steps; in float32"]
    lines[-1] += f" {TOL_32:.0e}. An error is the value's, over the minimum where that is above 1"
    lines[-1] += " or a risk: 1e-8 is asked for, and 1e-5 in float32."
    for name, (method, _) in PEERS.items():
        lines += ["", f"## {name} and scipy's {method}", ""]
        lines += ["| problem | status | value | error | gradient | steps | looks | H·v |"]
        lines[-1] += " float32 error | scipy value | gradient | steps | looks |"
        lines += ["|---|---|" + "--:|" * 11]
        for r in (r for r in rows if r["solver"] == name):
            ours = f"{r['value']:.8g} | {r['error']:.0e} | {r['gradient_norm']:.0e}"
            ours += f" | {r['steps']} | **{r['looks']}**"
            theirs = f"{r['scipy_value']:.8g} | {r['scipy_gradient_norm']:.0e}"
            theirs += f" | {r['scipy_steps']} | {r['scipy_looks']}"
            rest = f"{r['hessian_products']} | {r['float32_error']:.0e} | {theirs}"
            lines += [f"| {r['problem']} | {r['status']} | {ours} | {rest} |"]
    return "\n".join(lines) + "\n"


def main():
    """Runs everything, and writes results/solvers.json and results/solvers.md."""
    rows = []
    for name in PEERS:
        ends, narrow = endings(name, jnp.float64, TOL), endings(name, jnp.float32, TOL_32)
        rows += [row(name, problem, end, narrow[problem]) for problem, end in ends.items()]
        print(name, sum(r["looks"] for r in rows if r["solver"] == name), flush=True)
    record = {**machine.description("scipy"), "tol": TOL, "max_steps": MAX_STEPS, "rows": rows}
    (RESULTS / "solvers.json").write_text(json.dumps(record, indent=1) + "\n")
    (RESULTS / "solvers.md").write_text(table(rows))


if __name__ == "__main__":
    main()
