# gradatim: set-up and checks. `make` lists the targets; each sets up what it needs, once.

PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
TORCH  := 2.13.0
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt
# One thread a process: two processes of one thread beat one of two, and do not collapse on a busy machine.
ONE    := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
# Speed is measured beside peers, in an environment that has them; a call may set QUICK=--quick.
PEERS  := $(VENV)-bench
SPEED  := ridge folds training process inference climb_digits growth
OTHER   = $(filter-out $(SPEED),$(patsubst bench/%.py,%,$(wildcard bench/[a-z]*.py)))
QUICK  ?=
PYTEST := $(ONE) $(BIN)/python -m pytest -n 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help demo test check slow speed bench browser lock clean

help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/.stamp-core ## climb the ladder on the bundled digits
	$(BIN)/gradatim climb digits

test: $(VENV)/.stamp-dev browser ## every test but the slow ones, and the doctests
	$(PYTEST) -m "not slow" --doctest-modules src tests

slow: $(VENV)/.stamp-dev browser ## the slow tests alone
	$(PYTEST) -m slow tests

check: $(VENV)/.stamp-dev ## style, types, arrows between the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(ONE) $(BIN)/python -m pytest -q tests/architecture

speed: $(PEERS)/.stamp ## speed beside PyTorch, Lightning, skorch, Keras, JAX, scikit-learn (25 minutes)
	@set -e; for name in $(SPEED); do echo "== $$name"; $(PEERS)/bin/python bench/$$name.py $(QUICK); done

bench: $(VENV)/.stamp-dev speed ## speed, then acceptance runs and the rest of bench/ (an hour or more)
	@set -e; for name in $(OTHER); do echo "== $$name"; $(BIN)/python bench/$$name.py; done

lock: $(VENV)/.stamp-dev ## resolve constraints.txt anew (reads metadata only)
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet uv
	@echo 'torch==$(TORCH)' > $(VENV)/pin.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --strip-extras --upgrade \
		--no-header --no-annotate -c $(VENV)/pin.txt pyproject.toml -o $(VENV)/resolved.txt
	@{ echo '# The versions that are tested: pip install -c constraints.txt -e .    Made by `make lock`, not by hand.'; \
	   echo '# The parts of a CUDA build are left out: torch names those itself, and a CPU build wants none.'; \
	   grep -vE '^(nvidia-|cuda-|triton)' $(VENV)/resolved.txt; } > constraints.txt

clean: ## remove caches and build products (keeps .venv and runs)
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks .coverage htmlcov build dist
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up: a stamp is younger than the files it was made from, so a second run costs nothing ---

$(VENV)/bin/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "No Python >= 3.11 with venv found. On Debian or Ubuntu: apt-get install python3 python3-venv." >&2; \
		echo "Or name one: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; fi
	$(PYTHON) -m venv $(VENV)

$(VENV)/.stamp-core: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing gradatim and PyTorch into $(VENV): about a minute, once"
	$(PIP) -e .
	@touch $@

$(VENV)/.stamp-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing gradatim with its tests and linters into $(VENV): about a minute, once"
	$(PIP) -e '.[all]'
	@touch $(VENV)/.stamp-core $@

$(PEERS)/.stamp: bench/requirements.txt pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing gradatim and its peers into $(PEERS): some minutes and 2 GB, once"
	$(VENV)/bin/python -m venv $(PEERS)
	$(PEERS)/bin/python -m pip --disable-pip-version-check install --quiet -c constraints.txt -r bench/requirements.txt
	@touch $@

# The page tests drive a Chromium of the system. Without one they skip: a missing browser fails nothing.
browser:
	@if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then root=; elif sudo -n true 2>/dev/null; then root="sudo -n"; else root=none; fi; \
	if [ "$$root" != none ] && command -v apt-get >/dev/null; then \
		echo "Installing Debian's chromium for the browser tests"; \
		{ $$root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$root apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1; \
	fi; \
	command -v chromium >/dev/null || echo "No chromium and no right to install it: the browser tests will skip. Install it with: apt-get install chromium" >&2
