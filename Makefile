# make       set up .venv and run the full replication
# make test  set up .venv and run every check
# make smoke runs a small version into results/smoke
# make docs  builds the site of the run, readable offline, into results/site (runs what is missing)
# make test-faults kills, fills, damages and repeats runs (an hour)
# make test-slurm runs the workflow on a real Slurm, which it installs and starts, as root (a quarter of an hour)
# make test-checkers compares our checker with a second one in Go, where go is installed (ten minutes)
# make crate packs the run, what made it and its metadata into results/crate.zip
# make bench measures time and memory into results/benchmarks (hours)

PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
READY := $(VENV)/.ready
export PATH := $(BIN):$(PATH)
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
# Every job is a process of its own: without byte code each would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: all setup report crate smoke docs bench lint types style test test-slurm test-faults test-checkers clean help
.DEFAULT_GOAL := all

all: setup
	$(BIN)/snakemake --cores all
	$(MAKE) report

report: setup
	$(BIN)/snakemake --cores 1 --report results/report.html

crate: setup
	$(BIN)/snakemake --cores all crate

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "zerogap needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version)"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(READY)

smoke: setup
	$(BIN)/snakemake --cores all --configfile config/smoke.yaml
	@echo "results/smoke has the tables and figures, results/smoke/replication.pdf is the paper of this run"

docs: setup
	$(BIN)/snakemake --cores all site
	@echo "open results/site/index.html"

BENCH := results/benchmarks
bench: setup
	$(BIN)/python -m benchmarks.solvers $(BENCH)/solvers.csv
	$(BIN)/python -m benchmarks.scaling $(BENCH)/scaling.csv
	$(BIN)/python -m benchmarks.outputs $(BENCH)/outputs.csv
	$(BIN)/python -m benchmarks.reach $(BENCH)/reach.csv --seconds 60
	$(BIN)/python -m benchmarks.layers $(BENCH)/layers.csv
	$(BIN)/python -m benchmarks.rivals $(BENCH)/rivals.csv
	$(BIN)/python -m benchmarks.weights $(BENCH)/weights.csv
	$(BIN)/python -m benchmarks.figure $(BENCH)
	$(BIN)/python -m benchmarks.training $(BENCH)/training.csv
	$(BIN)/python -m benchmarks.pipeline $(BENCH)/pipeline.csv --config config/config.yaml
	$(BIN)/python -m benchmarks.planning $(BENCH)/planning.csv

# Types take as long as all the rest.
lint: setup
	$(MAKE) --jobs=2 types style

types: setup
	$(BIN)/mypy

style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/lint-imports
	$(BIN)/snakemake --lint

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests

test-slurm: setup
	$(BIN)/python -m pytest -rs -m slurm tests/slurm

test-faults: setup
	$(BIN)/python -m pytest -n 2 -m faults tests

test-checkers: setup
	@! command -v go > /dev/null || (cd checker-go && go vet . && go test .)
	$(BIN)/python -m pytest -rs -m checkers tests/judges

clean:
	find results -mindepth 1 -maxdepth 1 ! -name reference -exec rm -rf {} +
	rm -rf logs paper/replication.pdf .snakemake

help:
	@sed -n 's/^# //p' Makefile
