# Plain `make` lists the targets. Everything is made in .venv from the hash lock; nothing else of the machine is touched.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCK := deploy/requirements/dev.txt
ARGS ?=
# The tests start hundreds of processes: compiled modules are kept, in build/, whatever the machine's habit is.
PYTEST := PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(CURDIR)/build/pycache $(BIN)/python -m pytest -q
# A part of the suite that takes longer than this is interrupted, and still says what failed.
WITHIN := timeout --foreground --signal=INT --kill-after=60
# $(call suite,MARKERS,CACHE,WORKERS): what fails beside other tests is asked once more, alone, when no other part is
# under way either: what fails then, too, is broken.
BESIDE := flock --shared build/suite.lock
ALONE := flock build/suite.lock
FAILED := --last-failed --last-failed-no-failures none
suite = $(BESIDE) $(WITHIN) 1500 env $(PYTEST) -o cache_dir=build/cache/$(2) $(3) -m $(1) $(ARGS) || { [ $$? = 1 ] && \
	echo "What failed once more, alone:" && \
	$(ALONE) $(WITHIN) 600 env $(PYTEST) -o cache_dir=build/cache/$(2) $(FAILED) -m $(1) $(ARGS); }

.PHONY: help setup run test test-demos test-system unit lint bench soak docs dashboards golden check lock clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP) ## make .venv from the lock

$(STAMP): $(LOCK) pyproject.toml
	@deploy/setup/venv $(PYTHON) $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r $(LOCK)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: setup ## play the simulated province: make run ARGS="--for 60s --listen 127.0.0.1:9464"
	@deploy/setup/programs run
	@exec $(BIN)/hatang demo $(ARGS)

test: setup ## the whole suite, against real servers
	@deploy/setup/programs test
	@mkdir -p build
	@$(call suite,"not system and not soak",main,-n 2)
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target test-demos test-system

test-demos:
	@$(call suite,"demo",demos)

test-system:
	@$(call suite,"system and not demo and not soak",system)

unit: setup ## the quick part of the suite, which needs neither servers nor programs of other projects
	$(PYTEST) -n 3 -m "not real and not peers and not slow and not system and not soak" $(ARGS)

lint: setup ## ruff, mypy and the import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## speed against blackbox_exporter, snmp_exporter and prometheus_client, in one run
	@deploy/setup/programs bench
	$(BIN)/python -m tests.bench $(ARGS)

soak: setup ## what takes longer than a test may
	@deploy/setup/programs test
	$(PYTEST) -m soak $(ARGS)

docs: setup ## write the tables of README.md, config/schema.json and the rules of Prometheus anew
	$(BIN)/python -m exporters.reference README.md
	$(BIN)/hatang schema > config/schema.json
	$(BIN)/python -m dashboards.rules build

dashboards: setup ## write dashboards/json and deploy/grafana/kubernetes/dashboards anew
	$(BIN)/python -W ignore::DeprecationWarning -m dashboards build

golden: setup ## write the golden files anew
	HATANG_GOLDEN=1 $(PYTEST) -m "not system and not soak" tests/collector/probes tests/collector/settings

check: setup ## read config/ and show every fault of it
	$(BIN)/hatang check $(ARGS)

lock: setup ## resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --extra sftp --extra sql -o deploy/requirements/runtime.txt --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url
	uv pip compile pyproject.toml --extra sftp --extra sql --extra dashboards --extra dev -c deploy/requirements/runtime.txt -o deploy/requirements/dev.txt --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

clean: ## remove what was made
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis
