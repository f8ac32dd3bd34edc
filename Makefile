# `make` lists the commands. Needs python3 >= 3.11 and make; everything else goes into .venv, .bench, .peers and build/.

PYTHON ?=
FOLDER ?=
PY := .venv/bin/python

# pip is heard only when it fails.
PIP = $(PY) -m pip install --disable-pip-version-check --no-input -c constraints.txt $(1) >.venv/pip.log 2>&1 \
	|| { tail -n 30 .venv/pip.log >&2; echo "make: pip failed; all it said is in .venv/pip.log" >&2; exit 1; }

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo lab course test bench bench-browser peers check check-python check-js js clean distclean

help: ## list the commands
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name does; do \
		printf '  make %-12s %s\n' "$$name" "$$does"; done

demo: .venv/.lab ## build/tour.html: the tour, run on the built-in phantom or on FOLDER="/your/folder"
	@$(PY) notebooks/export.py "$$FOLDER"

lab: .venv/.lab ## the same tour, live, in JupyterLab
	@exec "$(PY)" notebooks/export.py --lab "$$FOLDER"

course: .venv/.course ## the course, 15 chapters from bytes to pitfalls, live, in JupyterLab
	@exec "$(PY)" notebooks/export.py --course

test: .venv/.dev ## every test; brings Chromium and a DICOM validator by the system's package manager
	@sh .ci/system
	@sh .ci/tests "$(PY)"

bench: .bench/.stamp ## the tables of docs/performance.md: loading, beside other readers (half an hour, 3 GB)
	@.bench/bin/python -m benchmarks.series
	@.bench/bin/python -m benchmarks.loading --write

bench-browser: .bench/.stamp ## the tables of docs/performance.md: the slice browser, beside other viewers (ten minutes; needs Chromium)
	@sh .ci/system
	@.bench/bin/python -m benchmarks.browser --write

peers: .venv/.dev ## .peers: other readers for the table of docs/kinds.md (800 MB)
	@$(PY) -m pip install --disable-pip-version-check --quiet --no-deps --upgrade --target .peers -r tests/kinds/peers.txt

check: check-python check-js ## formatting, types, walls of the house, the browser bundle

check-python: .venv/.dev
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy
	@.venv/bin/lint-imports --no-cache --no-logo

check-js: .venv/.dev node_modules/.stamp
	@sh .ci/npm run --silent check
	@sh .ci/npm test --silent

js: .venv/.dev node_modules/.stamp ## rebuild the committed browser bundle from its sources
	@sh .ci/npm run --silent build

clean: ## remove what was made, keep .venv
	@rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

distclean: clean ## remove .venv, .bench, .peers and node_modules too
	@rm -rf .venv .bench .peers node_modules

# One environment serves all; each stamp says how much of it is there.
.venv/.lab: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing dicomlab and JupyterLab into .venv (once; a few minutes) ..."
	@$(call PIP,-e '.[lab]')
	@touch $@

# By a name: make would take the commas for ends of arguments.
COURSE := .[lab,network,seg]
.venv/.course: .venv/.lab
	@echo "Installing what chapters 10 and 13 need into .venv (once) ..."
	@$(call PIP,-e '$(COURSE)')
	@touch $@

.venv/.dev: .venv/.lab
	@echo "Installing the tools of the checks and tests into .venv (once) ..."
	@$(call PIP,-e '.[dev]')
	@touch $@

.venv/bin/python:
	@sh .ci/venv "$(PYTHON)"

# Apart: GDCM and the plug-ins that it measures would change what pydicom does in the tests.
.bench/.stamp: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing the readers to measure against into .bench (once) ..."
	@$(PY) -m venv .bench
	@.bench/bin/python -m pip install --disable-pip-version-check --no-input --quiet -c constraints.txt -e '.[bench]'
	@touch $@

node_modules/.stamp: package.json | .venv/.dev
	@echo "Installing the tools of the browser bundle into node_modules (once) ..."
	@sh .ci/npm install --no-audit --no-fund --loglevel=error
	@touch $@
