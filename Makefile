# Each target makes the environment it needs in .venv; there is no other set-up.
PYTHON ?= python3
ENV := .venv
BIN := $(ENV)/bin
CONSTRAINTS := -c constraints.txt

.PHONY: sweep lecture lecture-check test compat proofs check bench clean
.DELETE_ON_ERROR:

sweep: $(ENV)/ready  ## 1,280 softmax regressions on digits: results and a page in out/sweep
	$(BIN)/python -m experiments.sweep --out out/sweep --overwrite

lecture: $(ENV)/ready  ## the two lectures as a website in out/lecture
	$(BIN)/python -m experiments.lecture --out out/lecture --overwrite

lecture-check: $(ENV)/ready  ## opens every page of out/lecture in a browser and says what is wrong
	$(BIN)/python -m experiments.lecture.check --site out/lecture

# Where bytecode isn't written, each of the workers would rewrite the asserts of all tests.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest

test: $(ENV)/ready  ## every test; with float64 enabled what can tell; last bits in the code that users run
	$(PYTEST)
	$(PYTEST) --x64 -m "not once and not float64 and not as_shipped"
	$(PYTEST) --shipped -m as_shipped
	$(PYTEST) --shipped --x64 -m "as_shipped and not once"

compat:  ## the same with the newest of everything, in an environment of its own
	rm -rf .venv-compat
	$(MAKE) test ENV=.venv-compat CONSTRAINTS=

proofs: $(ENV)/ready  ## the same tests on many more random cases, compiled as users do
	$(PYTEST) --proofs --shipped
	$(PYTEST) --proofs --shipped --x64 -m "not once and not float64"

check: $(ENV)/ready  ## opens every page of out/lecture in a browser and says what is wrong
	$(BIN)/python -m experiments.lecture.check --site out/lecture

# Three quarters of the suite's time were spent in XLA's compiler. What looks at last bits sees the
# code that users run; the rest is compiled plainly (and, in `make proofs`, as users run it too).
# XLA ends a process that names a flag it doesn't know, so a first process asks for the one that
# some have. Eight processes import the tests: rewritten once, their asserts are read from bytecode
# by the rest.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal
SHIPPED := $(shell grep -l as_shipped tests/test_*.py)
EMITTERS := --xla_cpu_use_fusion_emitters=false
KNOWN = $(shell { XLA_FLAGS=$(EMITTERS) $(BIN)/python -c "import jax; jax.devices()" \
	&& echo $(EMITTERS); } 2>/dev/null)
PLAINLY = XLA_FLAGS="$(XLA_FLAGS) --xla_cpu_parallel_codegen_split_count=1 $(KNOWN)" \
	JAX_DISABLE_MOST_OPTIMIZATIONS=1

test: $(ENV)/ready  ## the whole suite, in strict float32 and again with float64 enabled
	$(PYTEST) -m "as_shipped and not float64_pass" $(SHIPPED)
	$(PLAINLY) $(PYTEST) -m "not as_shipped and not float64_pass"
	JAX_ENABLE_X64=1 $(PYTEST) -m "as_shipped and not float32_pass" $(SHIPPED)
	JAX_ENABLE_X64=1 $(PLAINLY) $(PYTEST) -m "not as_shipped and not float32_pass"

compat:  ## the same with the newest of everything, in an environment of its own
	rm -rf .venv-compat
	$(MAKE) test ENV=.venv-compat CONSTRAINTS=

proofs: $(ENV)/ready  ## the same tests on many more random cases
	HYPOTHESIS_PROFILE=proofs $(PYTEST) -m "not float64_pass"
	HYPOTHESIS_PROFILE=proofs JAX_ENABLE_X64=1 $(PYTEST) -m "not float32_pass"

check: $(ENV)/ready  ## lint and format, changing nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(ENV)/ready  ## every benchmark, into experiments/benchmarks/results
	$(BIN)/python -m experiments.benchmarks.sgd
	$(BIN)/python -m experiments.benchmarks.sgd.optimizer_step
	$(BIN)/python -m experiments.benchmarks.solvers
	$(BIN)/python -m experiments.benchmarks.numerics
	$(BIN)/python -m experiments.benchmarks.metrics

$(ENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(ENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS) -e '.[experiments,lecture,dev]'
	touch $@

clean:  ## remove the environments and the outputs
	rm -rf .venv .venv-compat out
