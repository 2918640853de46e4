# `make drill` and `make test` need Python 3.11 or later, pip and make, and set up everything else themselves.

WORKERS ?= 4  # most tests wait for PostgreSQL, so twice as many as the two cores of a small machine
DRILL   ?= --environment production --scenario pitr_restore

BIN     := .venv/bin
STAMP   := .venv/.installed
PYTHONS := python3 python3.14 python3.13 python3.12 python3.11
NEW     := import sys; sys.exit(sys.version_info < (3, 11))

.DEFAULT_GOAL := help
.PHONY: help drill test lint format lock clean

help:  ## say what can be made
	@echo 'make <target>:'
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 10

drill: $(STAMP)  ## rehearse production's restores on a local twin, and report
	@$(BIN)/python -m drills rehearse $(DRILL)

test: lint  ## lint, and run the tests
	$(BIN)/python -m pytest -n $(WORKERS) --maxschedchunk 1

lint: $(STAMP)  ## style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)  ## lay out the code as `make lint` expects it
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

lock:  ## write requirements-dev.lock again (takes minutes: every wheel of every platform is hashed)
	@$(call venv,.venv-lock)
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check 'pip-tools==7.6.2'
	.venv-lock/bin/python -m piptools compile --quiet --extra twin --extra dev --generate-hashes --allow-unsafe \
	    --strip-extras --no-header --no-emit-options --output-file requirements-dev.lock pyproject.toml

clean:  ## remove what was made; recorded runs stay
	rm -rf .venv .venv-lock .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info
	find drills scenarios reports tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements-dev.lock pyproject.toml
	@$(call venv,.venv)
	@echo 'installing what requirements-dev.lock pins into .venv' >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Make a virtual environment unless there is one that works.
define venv
if ! { $(1)/bin/python -c '$(NEW)' && $(1)/bin/python -m pip --version; } >/dev/null 2>&1; then \
    for python in $(PYTHONS); do "$$python" -c '$(NEW)' 2>/dev/null && break || python=; done; \
    if [ -z "$$python" ]; then \
        echo 'make: no Python 3.11 or later was found as any of: $(PYTHONS)' >&2; \
        echo 'HINT: install one, or name it: make PYTHONS=/path/to/python3.12 …' >&2; exit 2; \
    fi; \
    if ! "$$python" -m venv --clear $(1) >&2; then \
        echo "make: $$python could not make a virtual environment" >&2; \
        echo 'HINT: on Debian and Ubuntu: apt-get install python3-venv' >&2; exit 2; \
    fi; \
fi
endef
