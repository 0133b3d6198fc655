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
	$(PYTEST) -m "not as_shipped"
	$(PYTEST) --x64 -m "not once and not float64 and not as_shipped"
	$(PYTEST) --shipped -m as_shipped
	$(PYTEST) --shipped --x64 -m "as_shipped and not once"

compat:  ## the same with the newest of everything, in an environment of its own
	rm -rf .venv-compat
	$(MAKE) test ENV=.venv-compat CONSTRAINTS=

proofs: $(ENV)/ready  ## the same tests on many more random cases, compiled as users do
	$(PYTEST) --proofs --shipped
	$(PYTEST) --proofs --shipped --x64 -m "not once and not float64"

check: $(ENV)/ready  ## lint and format, changing nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(ENV)/ready  ## every benchmark, into experiments/benchmarks/results
	$(BIN)/python -m experiments.benchmarks.sgd
	$(BIN)/python -m experiments.benchmarks.sgd.optimizer_step
	$(BIN)/python -m experiments.benchmarks.sgd.engine
	$(BIN)/python -m experiments.benchmarks.solvers
	$(BIN)/python -m experiments.benchmarks.numerics
	$(BIN)/python -m experiments.benchmarks.metrics

$(ENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(ENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS) -e '.[experiments,protocols,search,lecture,dev]'
	touch $@

clean:  ## remove the environments and the outputs
	rm -rf .venv .venv-compat out
