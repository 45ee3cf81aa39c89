# Everything happens in a virtual environment of its own; nothing is installed outside this folder.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8377

# What is imported is compiled once, and kept: the tests begin some hundred processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo demo-camera test test-bench lint format benchmarks clean

demo: $(VENV)/.edge
	@$(BIN)/attendance-bridge demo --port $(PORT)

# The same with a simulated camera; what recognises takes about 150 MB more to install.
demo-camera: $(VENV)/.recognition
	@$(BIN)/attendance-bridge demo --port $(PORT)

# Four at once also on two cores: most tests wait for a terminal, a page or a process.
test: $(VENV)/.dev
	@$(BIN)/python -m pytest -n 4 --dist worksteal

# The site's side, on a bench that is there already: make test-bench BENCH=~/frappe-bench SITE=test.localhost
test-bench: $(BIN)/python
	@$(BIN)/python devtools/bench_tests.py --bench "$(BENCH)" --site "$(SITE)"

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python devtools/generate_supported.py --check

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmarks: $(VENV)/.dev
	@for script in benchmarks/*.py; do case $$script in benchmarks/_*) ;; *) echo "== $$script"; $(BIN)/python $$script || exit 1;; esac; done

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "attendance_bridge needs Python 3.10 or newer; name one with PYTHON=…")'
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing: sudo apt install python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/.edge: $(BIN)/python pyproject.toml
	@echo "Installing into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[edge]"
	@touch $@

$(VENV)/.recognition: $(BIN)/python pyproject.toml
	@echo "Installing into $(VENV), with what recognises faces …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[edge,recognition]"
	@touch $@ $(VENV)/.edge

$(VENV)/.dev: $(BIN)/python pyproject.toml
	@echo "Installing into $(VENV), with the tools for development …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@ $(VENV)/.edge $(VENV)/.recognition

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .hypothesis .import_linter_cache
