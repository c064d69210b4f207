# Every target does its own set-up in .venv, once, and again when a requirement changes.
# Needs: Python 3.11 to 3.13 with venv, make, the package index. `make` alone lists the targets.

BIN := .venv/bin

# The first interpreter of a supported version; override with `make PYTHON=/path/to/python ...`.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$python && break; done)

.DEFAULT_GOAL := help
.PHONY: help demo test portability versions lint docs benchmark oracles gallery experiments clean
.DELETE_ON_ERROR:

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.installed-examples  ## train WGAN-GP on drawn faces in colour: pictures, a page, a saved model
	$(BIN)/python -m ganzoo train --recipe quick_faces --output_dir runs/demo

# One process more than cores: some tests wait for processes of their own.
test: .venv/.installed-test  ## run the tests (offline, CPU)
	$(BIN)/python -m pytest --numprocesses $$(($$(nproc) + 1)) --maxprocesses 4 --dist loadfile --no-loadscope-reorder

portability: .venv/.installed-test  ## run the tests that depend on the machine as other machines would
	$(BIN)/python benchmarks/portability.py

versions: .venv/.installed-test  ## run the tests of the contracts with the oldest and newest Python, TensorFlow and Keras
	$(BIN)/python benchmarks/supported_versions.py

lint: .venv/.installed-lint  ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

docs: .venv/.installed-docs  ## build the documentation site into site/, warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

benchmark: .venv/.installed-benchmark  ## measure images per second against PyTorch and the hardware
	$(BIN)/python benchmarks/throughput.py --output docs/performance_table.md

oracles: .venv/.installed-oracles  ## compute anew what the tests of metrics compare with (needs PyTorch)
	$(BIN)/python -m tests.metrics.oracles.compute

gallery: .venv/.installed-examples  ## compute the figures and numbers of docs/theory anew (half an hour)
	$(BIN)/python examples/theory/gallery.py

experiments: .venv/.installed-test  ## run the tests that train the experiments of docs/theory (half an hour)
	$(BIN)/python -m pytest -m slow tests/theory

clean:  ## remove the environment and everything built
	rm -rf .venv site build dist *.egg-info .pytest_cache .ruff_cache

.venv/bin/python:
	@command -v "$(PYTHON)" >/dev/null || { echo "ganzoo needs Python 3.11, 3.12 or 3.13 and found none." \
		"On Debian 12: sudo apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) lacks venv." \
		"On Debian and Ubuntu: sudo apt install $$($(PYTHON) -c \
		'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"; exit 1; }
	@echo "== Set-up: making .venv with $(PYTHON)"
	$(PYTHON) -m venv .venv

# Style and documentation need neither ganzoo nor TensorFlow: both read the code without running it. Ruff breaks the long
# signatures of the documentation into lines.
.venv/.installed-lint: constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt ruff
	@touch $@

.venv/.installed-docs: constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt mkdocs-material "mkdocstrings[python]" ruff
	@touch $@

# One stamp per extra: `make demo` installs nothing that only the tests need.
.venv/.installed-%: pyproject.toml setup.py constraints.txt | .venv/bin/python
	@echo "== Set-up: installing ganzoo[$*] into .venv. The first time this downloads TensorFlow" \
		"(about 600 MB) and takes 1 to 5 minutes."
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e ".[$*]"
	@touch $@
