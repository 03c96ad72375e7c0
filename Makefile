# From a bare python3 (3.11 to 3.13) to everything else. `make` alone lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SECRETS := var/secrets.env
SQL := include/sql include/five_precisions_demo/sql include/five_precisions_docs/sql

# Another activated environment or another project's path must not leak into ours. Where Python may not keep what it
# compiles, every process compiles anew: a test run has hundreds.
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV PYTHONDONTWRITEBYTECODE
export UV_HTTP_TIMEOUT ?= 180

UV_PIP := $(BIN)/uv pip
UV_LOCK := $(BIN)/uv pip compile --no-config --quiet --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header

.PHONY: help
help: ## list the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)$$/\1|\2/p' $(firstword $(MAKEFILE_LIST)) \
		| while IFS='|' read -r name does; do printf '  make %-10s %s\n' "$$name" "$$does"; done

.PHONY: install
install: $(INSTALLED) secrets ## make .venv from the lock, the command .venv/bin/five-precisions, and var/secrets.env

$(INSTALLED): requirements/bootstrap.txt requirements/lock.txt pyproject.toml
	@if ! $(BIN)/python -c '' 2>/dev/null; then \
		$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
			|| { echo 'Python 3.11, 3.12 or 3.13 is needed; name one: make install PYTHON=python3.12' >&2; exit 1; }; \
		echo 'making $(VENV)'; \
		$(PYTHON) -m venv --clear $(VENV); \
	fi
	@# PIP_USER: a `user = true` in somebody's pip.conf makes pip refuse to install into a virtual environment.
	@PIP_USER=0 $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--requirement requirements/bootstrap.txt
	@# uv does not read pip's configuration; a mirror that stands there is meant for it too.
	@index="$$(PIP_USER=0 $(BIN)/python -m pip config get global.index-url 2>/dev/null || true)"; \
		if [[ -n "$$index" && -z "$${UV_DEFAULT_INDEX:-}" ]]; then export UV_DEFAULT_INDEX="$$index"; fi; \
		echo 'installing what requirements/lock.txt holds'; \
		$(UV_PIP) sync --python $(BIN)/python --quiet --require-hashes requirements/lock.txt
	@$(UV_PIP) install --python $(BIN)/python --quiet --offline --no-deps --no-build-isolation --editable .
	@touch $@

# Looked at each time: new secrets beside a warehouse that was made with others would do harm.
.PHONY: secrets
secrets: $(INSTALLED)
	@$(BIN)/python -m five_precisions.secrets_file $(SECRETS)

.PHONY: compose-secrets
compose-secrets: ## make the files in secrets/ that docker-compose.yaml reads, those that are missing; needs only python3
	@$(PYTHON) include/five_precisions/secrets_folder.py secrets

.PHONY: check
check: install ## style, types, layers and the tests that need no server, process or browser; under two minutes
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target types pure sql-style style

.PHONY: pure
pure: install
	$(BIN)/python -m pytest -m 'not integration and not slow' --numprocesses=0 --quiet

.PHONY: test
test: install quality ## quality, then all tests
	$(BIN)/python -m pytest

.PHONY: quality
quality: install ## style, types, SQL style, layers
	@# Types and SQL take two thirds of a minute each, on one core.
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target types sql-style style

.PHONY: types
types: install
	$(BIN)/mypy

.PHONY: sql-style
sql-style: install
	$(BIN)/sqlfluff lint --disable-progress-bar $(SQL)

.PHONY: style
style: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

.PHONY: format
format: install ## fix what ruff and sqlfluff can fix by themselves
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/sqlfluff fix --disable-progress-bar $(SQL)

.PHONY: docs
docs: install ## write docs/reference and the picture of the layers anew, from what the program declares
	@$(BIN)/python -m five_precisions_docs

.PHONY: migration
migration: install ## write the migration for what reports.yaml declares anew: make migration NAME=insured_loans
	@$(BIN)/python -m five_precisions.warehouse.draft_migration $(NAME)

.PHONY: bench
bench: install ## speed and memory, against limits and beside peers, into one table; an hour, with nothing else running
	$(BIN)/python benchmarks/beside_earlier.py $(if $(RUNS),--runs $(RUNS)) $(if $(WHOLE),--whole)
	$(BIN)/python benchmarks/city.py
	$(BIN)/python benchmarks/intake.py
	$(BIN)/python benchmarks/messages.py
	$(BIN)/python benchmarks/reading_memory.py
	$(BIN)/python benchmarks/results_table.py

.PHONY: bench-quick
bench-quick: install ## one golden month beside the earlier commit, once; two minutes
	$(BIN)/python benchmarks/beside_earlier.py --months 1 --runs 1 --name quick

.PHONY: nightly
nightly: install ## what is too long for every day: fails where a figure is a third worse than the one kept
	$(BIN)/python -m pytest -n 0 tests/nightly/judged_both_ways.py
	$(BIN)/python benchmarks/beside_earlier.py --months 1 --runs 3 --name tonight
	$(BIN)/python benchmarks/results_table.py --against quick tonight
	$(MAKE) --no-print-directory fuzz

# LOANS=20000 and INSTITUTIONS=100 for less; PLAIN=1 without history, slopes and the earlier commit.
LARGE_AREA = $(if $(LOANS),--loans $(LOANS)) $(if $(INSTITUTIONS),--institutions $(INSTITUTIONS)) $(if $(PLAIN),--plain)

.PHONY: bench-large
bench-large: install ## a month of 300 institutions and 1,000,000 loans, and how it grows; half an hour; LOANS=20000 for less
	$(BIN)/python benchmarks/large_area.py $(LARGE_AREA)

.PHONY: bench-receipt
bench-receipt: install ## from drop to mail under a real scheduler, ten banks, twice; about six minutes
	$(BIN)/python benchmarks/drop_to_mail.py

# PORT=8081 for another port of 127.0.0.1. `exec`: a signal for the recipe reaches the program itself.
STACK_OPTIONS = $(if $(PORT),--port $(PORT))
# KEEP=1 keeps the packages of the demo's inbox, which hold IDs and names in clear.
DEMO_OPTIONS = $(STACK_OPTIONS) $(if $(KEEP),--keep-packages)

.PHONY: demo
demo: install ## six months of an invented city under a real Airflow, to both bulletins; afresh each time, in var/demo
	@exec $(BIN)/python -m five_precisions_demo.replay $(DEMO_OPTIONS)

.PHONY: up
up: install ## start everything, in the background, on what the demo left
	@exec $(BIN)/python -m five_precisions_demo.stack up $(STACK_OPTIONS)

.PHONY: down
down: install ## stop everything that `make up` or `make demo` has started
	@exec $(BIN)/python -m five_precisions_demo.stack down

.PHONY: bench-airflow
bench-airflow: install ## Airflow's own share of a replay, by empty tasks of the same shapes; about six minutes
	$(BIN)/python benchmarks/airflow_share.py

.PHONY: bench-pages
bench-pages: install ## our pages through the API server, at city size and with 300 institutions; INSTITUTIONS=100 MONTHS=12 for less
	$(BIN)/python benchmarks/pages.py $(if $(INSTITUTIONS),--institutions $(INSTITUTIONS)) $(if $(MONTHS),--months $(MONTHS))

.PHONY: fuzz
fuzz: install ## judge 10,000 mutated packages on all cores; FILES=500 for fewer, FIRST=7 for others; what fails is kept in var/fuzz
	$(BIN)/python -m tests.fuzz.run $(if $(FILES),--files $(FILES)) $(if $(FIRST),--first $(FIRST))

.PHONY: lock
lock: install ## lock anew what pyproject.toml asks for; newest of all: make lock UPGRADE=--upgrade
	$(UV_LOCK) $(UPGRADE) --all-extras --output-file requirements/lock.txt pyproject.toml
	$(UV_LOCK) --constraint requirements/lock.txt --output-file requirements/bootstrap.txt requirements/bootstrap.in
	$(UV_LOCK) $(UPGRADE) --output-file requirements/bench.txt requirements/bench.in

.PHONY: clean
clean: ## take away .venv and caches; var/ stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
