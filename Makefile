# Each target makes the environment it needs in .venv; there is no other set-up.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2

.PHONY: sweep test proofs check bench clean
.DELETE_ON_ERROR:

sweep: .venv/ready  ## 1,280 softmax regressions on digits: results and a page in out/sweep
	$(BIN)/python -m experiments.sweep --out out/sweep --overwrite

# Three quarters of the suite's time were spent in XLA's compiler. What looks at last bits sees the
# code that users run; the rest is compiled plainly (and, in `make proofs`, as users run it too).
# Eight processes import the tests: rewritten once, their asserts are read from bytecode by the rest.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
AS_SHIPPED := -m as_shipped $(shell grep -l as_shipped tests/test_*.py)
PLAINLY := XLA_FLAGS="$(XLA_FLAGS) --xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1" \
	JAX_DISABLE_MOST_OPTIMIZATIONS=1

test: .venv/ready  ## the whole suite, in strict float32 and again with float64 enabled
	$(PYTEST) $(AS_SHIPPED)
	$(PLAINLY) $(PYTEST) -m "not as_shipped"
	JAX_ENABLE_X64=1 $(PYTEST) $(AS_SHIPPED)
	JAX_ENABLE_X64=1 $(PLAINLY) $(PYTEST) -m "not as_shipped"

proofs: .venv/ready  ## the same tests on many more random cases
	HYPOTHESIS_PROFILE=proofs $(PYTEST)
	HYPOTHESIS_PROFILE=proofs JAX_ENABLE_X64=1 $(PYTEST)

check: .venv/ready  ## lint and format, changing nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: .venv/ready  ## every benchmark, into experiments/benchmarks/results
	$(BIN)/python -m experiments.benchmarks.sgd_sweep
	$(BIN)/python -m experiments.benchmarks.optimizer_step
	$(BIN)/python -m experiments.benchmarks.solvers
	$(BIN)/python -m experiments.benchmarks.numerics
	$(BIN)/python -m experiments.benchmarks.metrics

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[experiments,dev]'
	touch $@

clean:  ## remove the environment and the outputs
	rm -rf .venv out
