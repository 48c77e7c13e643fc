# One verb each; `make help` lists them; CI calls the same verbs.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PACKAGES := contract app operator testbed bench
SOURCES := $(addsuffix /src,$(PACKAGES)) tests
GENERATORS := genai_operator.api.crd genai_operator.api.reference genai_contract.reference
export CLUSTER ?=
PORT ?= 8000

##@ Try it
.PHONY: up down serve
up: $(INSTALLED)  ## From nothing to an answer: cluster, images, operator, the quick-start instance, a first question
	@$(BIN)/genai-testbed quickstart up

down: $(INSTALLED)  ## Undo `make up`: the instance, the operator, and the test bed's cluster
	@$(BIN)/genai-testbed quickstart down

serve: $(INSTALLED)  ## The agent API without any cluster, with its own PostgreSQL and Valkey (PORT=8000)
	@$(BIN)/genai-auto serve --embedded --port $(PORT)

##@ Cluster and images
.PHONY: cluster-up cluster-down cluster-status images
cluster-up: $(INSTALLED)  ## A real Kubernetes node (CLUSTER=testbed|kind|current; LEVEL=node|control-plane)
	@$(BIN)/genai-testbed up --level $(or $(LEVEL),node)

cluster-down: $(INSTALLED)  ## Stop the cluster and remove all that belongs to it
	@$(BIN)/genai-testbed down

cluster-status: $(INSTALLED)  ## What runs, since when, and how to reach it
	@$(BIN)/genai-testbed status

images: $(INSTALLED)  ## Build both images (Docker when it runs, else buildah) and load them into the cluster
	@$(BIN)/genai-testbed images build
	@$(BIN)/genai-testbed images load

##@ Test
.PHONY: test test-unit test-service test-cluster test-e2e
test: $(INSTALLED)  ## All levels that this machine can run; says which it left out and why (in CI that is a failure)
	@$(BIN)/genai-testbed test

test-unit: $(INSTALLED)  ## Pure code, property tests, golden manifests
	@$(BIN)/pytest -q -m unit

test-service: $(INSTALLED)  ## The app against a real PostgreSQL with pgvector and a real Valkey
	@$(BIN)/pytest -q -m service

test-cluster: $(INSTALLED)  ## The operator against a real Kubernetes control plane
	@$(BIN)/genai-testbed prepare --level control-plane
	@$(BIN)/pytest -q -m cluster

test-e2e: $(INSTALLED)  ## Real pods from really built images (CLUSTER=kind: the same suite on kind)
	@$(BIN)/genai-testbed prepare --level node
	@$(BIN)/pytest -q -m node

##@ Measure
.PHONY: bench bench-report
bench: $(INSTALLED)  ## What the service takes beside peers, as ratios (NAME=p1|p3|p4|p6|all, QUICK=1); never a test
	@$(BIN)/genai-bench run $(or $(NAME),all) $(if $(QUICK),--quick)

bench-report: $(INSTALLED)  ## Write docs/performance.md from the results of `make bench`
	@$(BIN)/genai-bench report

##@ Develop
.PHONY: help install check format generate lock clean
help:  ## Show this help
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z][a-z0-9-]*:.*##/ {printf "  \033[36m%-16s\033[0m%s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED)  ## One virtual environment with all packages and tools, by plain pip

$(INSTALLED): constraints.txt $(addsuffix /pyproject.toml,$(PACKAGES))
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "GenAI Auto needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1 | cut -c1-40): make PYTHON=/path/to/python3.11 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || { echo "'$(PYTHON)' has no ensurepip: on Debian, apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing into $(VENV) (a minute or two the first time) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --require-hashes -r constraints.txt
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation $(addprefix -e ./,$(PACKAGES))
	@touch $@

check: $(INSTALLED)  ## Lint, format, types, import rules, generated copies fresh
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@for module in $(GENERATORS); do $(BIN)/python -m $$module --check; done

format: $(INSTALLED)  ## Format and mend what can be mended
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

generate: $(INSTALLED)  ## Write every generated copy anew
	@for module in $(GENERATORS); do $(BIN)/python -m $$module; done
	@$(BIN)/python -m genai_app.agents.precompute

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
  --no-emit-index-url --no-emit-find-links $(foreach each,$(PACKAGES),--no-emit-package genai-auto-$(each))
lock: $(INSTALLED)  ## Resolve the pins anew (UPGRADE=--upgrade takes the newest versions)
	@$(COMPILE) $(UPGRADE) --all-extras --group pyproject.toml:dev $(addsuffix /pyproject.toml,$(PACKAGES)) -o constraints.txt
	@$(COMPILE) app/pyproject.toml -c constraints.txt -o app/requirements.txt
	@$(COMPILE) operator/pyproject.toml -c constraints.txt -o operator/requirements.txt

clean:  ## Remove the virtual environment and tool caches (stop the cluster first: make down)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
