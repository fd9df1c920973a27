# make demo     show a help centre's search learning from clicks (ARGS=--no-wait ends it after the report)
# make test     run the tests (ARGS="-k catalog" picks some, ARGS="-n 2 --dist loadfile" runs two at a time)
# make coverage run the tests and tell what they do not reach; at least 88% of branches, 95% in the pure rooms
# make mutants  change statistics, click models and fusion a thousandfold, and tell which changes no test notices
# make lint     check format and style
# make types    check types
# make arrows   check which part imports which
# make check    all of the above but the demo
# make requirements  pin the packages of a process that only answers, in requirements/answering.txt
# make client   minify the browser's scripts after a change of collector/browser/client.js or serving/browser/search.js
# make clean    remove the virtual environment and every cache; the data in .clickloop stays
#
# Each makes the virtual environment .venv by itself when it is missing or pyproject.toml changed.
# PYTHON=python3.12 names the interpreter, 3.11 or newer. TORCH_INDEX=URL names an index with
# smaller builds of torch, as torch's own one for CPUs.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install demo test coverage mutants lint types arrows check requirements client clean

BIN := .venv/bin
READY := .venv/ready
ARGS ?=
# PyPI's torch for Linux brings several GB of CUDA; torch's own index of CPU builds is a tenth of that.
TORCH_INDEX ?=

# The rooms without web, SQL or files.
PURE := ab_testing/stats/*,ab_testing/decide/*,ab_testing/design/*,ab_testing/ranking/*,collector/click_models/*,collector/fold/*,collector/intake/schemas/*,serving/ranking/*,serving/present/*,retrainer/learners/*

export HF_HUB_OFFLINE ?= 1

help:
	@sed -n '/^$$/q; s/^# \{0,1\}//p' Makefile

demo: $(READY)
	@$(BIN)/clickloop demo $(ARGS)

test: $(READY)
	@$(BIN)/pytest $(ARGS)

coverage: $(READY)
	@$(MAKE) --no-print-directory test ARGS="--cov --cov-report= $(ARGS)"
	@$(BIN)/coverage report --fail-under=88
	@$(BIN)/coverage report --include="$(PURE)" --fail-under=95

mutants: $(READY)
	@$(BIN)/mutmut run
	@$(BIN)/python .ci/mutants

lint: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(READY)
	@$(BIN)/mypy

arrows: $(READY)
	@$(BIN)/lint-imports

check: lint types arrows test

requirements: $(READY)
	@$(BIN)/python .ci/answering-requirements > requirements/answering.txt

client: $(READY)
	@$(BIN)/python .ci/minify

install: $(READY)

$(READY): pyproject.toml
	@PYTHON="$(PYTHON)" TORCH_INDEX="$(TORCH_INDEX)" .ci/install .venv
	@touch $@

clean:
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage mutants *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
