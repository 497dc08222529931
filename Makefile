# Two commands to start with, on a machine with Python 3.11 or newer and make:
#   make sweep    set up, then run the main job on the embedded scenario (offline once installed)
#   make test     set up, then pass the tests
# `make` alone runs the tests and the linters. ARGS is handed on: make sweep ARGS="--size 1GB,7GB"

PYTHON ?= $(shell command -v python3.11 || command -v python3 || command -v python)
VENV := .venv
RUN := $(VENV)/bin/python -m
ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: all sweep test lint types format glossary bench notebooks clean
all: test lint types

sweep: $(VENV)/.core
	$(RUN) modeler sweep $(ARGS)

test: $(VENV)/.test
	$(RUN) pytest $(ARGS)

lint: $(VENV)/.lint
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(VENV)/bin/nbstripout --verify --keep-id notebooks/*.ipynb

types: $(VENV)/.lint
	$(RUN) mypy

format: $(VENV)/.lint
	$(RUN) ruff check --fix .
	$(RUN) ruff format .
	$(VENV)/bin/nbstripout --keep-id notebooks/*.ipynb

glossary: $(VENV)/.core
	$(VENV)/bin/python docs/make_glossary.py
	$(VENV)/bin/python docs/make_cli_reference.py
	$(VENV)/bin/python docs/make_scenario_reference.py
	$(VENV)/bin/python docs/make_choice_reference.py

bench: $(VENV)/.test
	$(RUN) benchmarks

notebooks: $(VENV)/.test
	$(RUN) pytest --nbmake --nbmake-timeout=600 notebooks

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Each stamp is one set of dependencies; it grows old when pyproject.toml changes.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "modeler needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(VENV)/bin/python pyproject.toml
	$(RUN) pip install --quiet --editable .
	@touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml
	$(RUN) pip install --quiet --editable '.[test,parquet]'
	@touch $@ $(VENV)/.core

$(VENV)/.lint: $(VENV)/bin/python pyproject.toml
	$(RUN) pip install --quiet --editable '.[test,parquet,lint]'
	@touch $@ $(VENV)/.test $(VENV)/.core
