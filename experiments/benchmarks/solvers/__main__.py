"""How many evaluations each solver needs, beside scipy's method of the same kind, in float64.

Both are asked for the same largest derivative. A look is one value with its gradient; scipy's
counts are nfev, or njev where that is larger. Counts do not depend on the machine, so no time is
taken here. scipy has no gradient descent; ours stands beside its CG.

    python -m experiments.benchmarks.solvers
"""

import argparse
import functools
import warnings

import jax

jax.config.update("jax_enable_x64", True)  # before any array is made

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import scipy.optimize  # noqa: E402

from experiments.benchmarks import machine, tables  # noqa: E402
from jaxlr import solvers  # noqa: E402
from tests import solver_problems  # noqa: E402
from tests.solver_problems import LOGISTIC, NAMES, PROBLEMS, STARTS  # noqa: E402

TOL = float(jnp.finfo(jnp.float64).eps) ** (2 / 3)
MAX_STEPS = 2000
TOL_32 = 1e-6  # below the default, which leaves a flat valley with four digits
SOLVERS = {  # ours and scipy's
    "gradient_descent": (solvers.gradient_descent(), "CG"),
    "gradient_descent, not scaled": (solvers.gradient_descent(scaled=False), "CG"),
    "nonlinear_cg": (solvers.nonlinear_cg(), "CG"),
    "nonlinear_cg, not scaled": (solvers.nonlinear_cg(scaled=False), "CG"),
    "bfgs": (solvers.bfgs(), "BFGS"),
    "lbfgs": (solvers.lbfgs(), "L-BFGS-B"),
    "newton_cg": (solvers.newton_cg(), "Newton-CG"),
    "newton": (solvers.newton(), "trust-exact"),
}
TOLD = {  # how scipy's is told the tolerance, where not by gtol alone
    "L-BFGS-B": {"gtol": TOL, "ftol": 0, "maxfun": 10 * MAX_STEPS},
    "Newton-CG": {"xtol": 1e-12},
}


def endings(name, dtype, tol):
    """Our ending on every problem: test functions as lanes of one program, then logistic risks."""

    def run(objective, x, *arguments):
        options = {"tol": tol, "max_steps": MAX_STEPS}
        return solvers.minimise(SOLVERS[name][0], objective, x, *arguments, **options)

    program = jax.jit(jax.vmap(functools.partial(run, solver_problems.objective)))
    end = program(jnp.asarray(STARTS, dtype), jnp.arange(len(NAMES)))
    ends = {problem: jax.tree.map(lambda x, i=i: x[i], end) for i, problem in enumerate(NAMES)}
    for kind in LOGISTIC:
        x, labels, l2 = (jnp.asarray(a, dtype) for a in solver_problems.logistic_examples(kind))
        params = {"w": jnp.zeros(x.shape[1], dtype), "b": jnp.zeros([], dtype)}
        program = jax.jit(functools.partial(run, solver_problems.logistic_risk))
        ends[kind] = program(params, x, labels, l2)
    return ends


def error(problem, value):
    """How far above the minimum, relative to it where it is above 1 or a risk, and not 0."""
    if problem in PROBLEMS:
        return min(abs(value - m) / max(1, m) for m in PROBLEMS[problem].minima)
    least = of_scipy("newton", problem).fun
    return abs(value - least) / least


@functools.cache
def functions(problem):
    """Start, value with gradient, and Hessian, compiled, of a test function or a logistic risk."""
    if problem in PROBLEMS:
        start = np.array(PROBLEMS[problem].start)
        objective = functools.partial(solver_problems.value, jnp, problem)
    else:
        x, *rest = solver_problems.logistic_examples(problem)
        start = np.zeros(x.shape[1] + 1)

        def objective(w):
            return solver_problems.logistic_risk({"w": w[:-1], "b": w[-1]}, x, *rest)

    return start, jax.jit(jax.value_and_grad(objective)), jax.jit(jax.hessian(objective))


@functools.cache
def of_scipy(name, problem):
    """scipy's ending, from the same value, gradient and Hessian."""
    method = SOLVERS[name][1]
    start, both, hessian = functions(problem)
    curvature = {"hess": lambda x: np.asarray(hessian(x))} if "newton" in name else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where it stalls, scipy warns as well as says so
        return scipy.optimize.minimize(
            lambda x: float(both(x)[0]),
            start,
            jac=lambda x: np.asarray(both(x)[1]),
            method=method,
            options={"maxiter": MAX_STEPS, **TOLD.get(method, {"gtol": TOL})},
            **curvature,
        )


def row(name, problem, ours, narrow):
    """One line of the table: our endings in float64 and, `narrow`, in float32."""
    theirs = of_scipy(name, problem)
    _, both, _ = functions(problem)
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


def main():
    """Runs everything, and writes results/solvers.json and results/solvers.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="of " + ", ".join(SOLVERS))
    names = parser.parse_args().names
    if unknown := [name for name in names if name not in SOLVERS]:
        parser.error(f"no solver {unknown[0]!r}; there are {', '.join(SOLVERS)}")
    kept = tables.kept("solvers").get("rows", []) if names else []
    rows = [row for row in kept if row["solver"] not in names]
    for name in names or SOLVERS:
        ends, narrow = endings(name, jnp.float64, TOL), endings(name, jnp.float32, TOL_32)
        rows += [row(name, problem, end, narrow[problem]) for problem, end in ends.items()]
        print(name, sum(r["looks"] for r in rows if r["solver"] == name), flush=True)
    rows.sort(key=lambda row: list(SOLVERS).index(row["solver"]))
    record = {**machine.description("scipy"), "tol": TOL, "max_steps": MAX_STEPS, "rows": rows}
    tables.publish("solvers", record, "solvers/page.md", tol_32=TOL_32, solvers=SOLVERS)


if __name__ == "__main__":
    main()
