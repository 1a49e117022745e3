# shadow-harness: `make demo` rehearses a shadow week, `make test` runs every check.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: help setup browser demo test test-fast lint format bench soak faults pictures clean
.DEFAULT_GOAL := help

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP) browser  ## Make the virtual environment and find a Chromium

$(STAMP): requirements.lock pyproject.toml
	@tools/make-venv "$(PYTHON)" "$(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

browser: $(STAMP)
	@tools/ensure-browser "$(BIN)"

demo: setup  ## Rehearse a shadow week on real parts; no account needed
	@$(BIN)/shadow demo --keep demo-output

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tools/write-reference --check

test: setup lint  ## Lint, type-check and run every test
	$(BIN)/pytest -q -n 2 --dist worksteal -m "not serial"
	$(BIN)/pytest -q -m serial

test-fast: $(STAMP)  ## Only the unit tests
	$(BIN)/pytest -q tests/unit -m "not slow"

bench: setup  ## Print measured ratios against named peers
	$(BIN)/python -m benchmarks

soak: $(STAMP)  ## Half an hour of faults against the recorder: make soak MINUTES=5 RATE=200
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),30) --rate $(or $(RATE),200) $(SOAK)

faults: setup  ## Stage every known fault by itself, then ten random pairs (a quarter of an hour)
	$(BIN)/python tools/stage-faults --pairs $(or $(PAIRS),10)

pictures: setup  ## Draw docs/*.png from a rehearsal: make pictures WEEK=demo-output/rehearsal-…
	$(BIN)/python tools/draw-dashboard --config $(WEEK)/shadow.toml --out docs/dashboard.svg
	$(BIN)/python tools/draw-dashboard --config $(WEEK)/shadow.toml --walk docs/dashboard
	$(BIN)/python tools/draw-report --report $(WEEK)/report.html --out docs/report.png

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) demo-output dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
