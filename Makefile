# Everything here works on a bare machine: what a target needs it sets up first, once.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

# Runs what follows with an engine: the one that answers, or else the private one, started if need be.
ENGINE = lines="$$(scripts/engine ensure --env)" && eval "$$lines" &&
ARGOSY = $(ENGINE) $(BASES) $(BIN)/inv
ARGOSY_FIRST := setup
container-build container-push container-release: BASES = scripts/bases &&
container-build-% container-push-%: BASES = scripts/bases &&

include tasks/argosy.mk

help: ## Show this help
	@grep -hE '^[a-zA-Z_%-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-22s %s\n", $$1, $$2}'

setup: $(READY) ## Make the virtual environment

# The environment is made anew when pyproject.toml asks for something else.
$(READY): pyproject.toml scripts/venv
	@PYTHON="$(PYTHON)" scripts/venv

bases: ## See that the base images can be had
	@$(ENGINE) scripts/bases

test: setup ## Run all tests against a private engine
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@scripts/engine start && eval "$$(scripts/engine env)" && scripts/bases
	@$(BIN)/python -m pytest -n 3 --dist loadfile --none-skipped

test-fast: setup ## Run the tests that need no engine
	@$(BIN)/python -m pytest -n 3 -m 'not engine'

lint: setup ## Check style and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: setup bases ## Time Argosy against raw bake and a shell loop
	@$(ENGINE) $(BIN)/python scripts/bench

.PHONY: help setup bases test test-fast lint bench
