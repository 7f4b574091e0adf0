# One folder, .venv, holds everything; a target installs what is missing and is quick when nothing is.
# PYTHON=python3.12 make setup takes another interpreter (3.11 to 3.14); NEWEST=1 make setup takes the
# newest versions that pyproject.toml allows, instead of the locked ones. TORCH=cpu makes do without
# CUDA's gigabytes on Linux, TORCH=locked takes them; auto looks for a card, see install.py.

ifeq ($(OS),Windows_NT)
  PYTHON ?= python
  BIN := .venv/Scripts
else
  PYTHON ?= python3
  BIN := .venv/bin
endif
RUN := $(BIN)/python -m
READY := .venv/ready
TORCH ?= auto
ifdef NEWEST
  INSTALL := $(RUN) uv pip install --quiet --python .venv --compile-bytecode --upgrade --all-extras -r pyproject.toml
else
  INSTALL := $(BIN)/python install.py $(TORCH)
endif

# `make grade a.ipynb b.ipynb`: files are no targets to make. Names are learners', so the shell gets
# them in quotes; files with spaces in their names lie in a folder: make grade NOTEBOOKS=folder.
HANDED_IN := $(filter %.ipynb,$(MAKECMDGOALS))
NOTEBOOKS ?= $(HANDED_IN)

.PHONY: help setup demo course slides assign grade notebooks test check bench browser lab lint types format lock clean

help:
	@echo "make lab     open JupyterLab on the course"
	@echo "make course  run every notebook; pages to browse in build/course"
	@echo "make slides  of every lesson a deck to present; build/slides"
	@echo "make test    run all tests, and every notebook"
	@echo "make demo    train the whole framework on built-in faces; pictures in build/demo"
	@echo "make assign  write the lessons as homework, without solutions and outputs, into build/assignments"
	@echo "make grade NOTEBOOKS=folder   check handed-in notebooks in a sandbox; also make grade a.ipynb b.ipynb"
	@echo "make setup   only install"
	@echo "make check   in some minutes: style, types, and the tests without notebooks, browser, Ray, long runs"
	@echo "make bench   in some minutes: every claim of speed, measured anew on this machine; docs/performance.md"
	@echo "make notebooks, make lint, make types, make format, make lock, make browser   for those who change it"

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15) and 'fercourse needs Python 3.11 to 3.14: PYTHON=python3.12 make setup')"
	$(RUN) pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	$(RUN) pip install --quiet --disable-pip-version-check "uv>=0.9"
	$(INSTALL)
	$(RUN) uv pip install --quiet --python .venv --no-deps --editable .
	$(RUN) compileall -q fercourse
	$(RUN) ipykernel install --sys-prefix --name python3 --display-name "Python 3 (fercourse)"
	$(BIN)/python -c "open('$(READY)', 'w')"

demo: setup
	$(BIN)/fercourse demo

course: setup
	$(BIN)/fercourse course run

assign: setup
	$(BIN)/fercourse course assign

grade: setup
	$(BIN)/fercourse course grade -- $(foreach n,$(NOTEBOOKS),'$(subst ','\'',$n)')

.PHONY: $(HANDED_IN)
$(HANDED_IN):
	@:

notebooks: setup
	$(BIN)/fercourse course build

slides: setup
	$(BIN)/fercourse course slides

test: setup
	$(BIN)/python tests/clean_room.py

types: setup
	$(RUN) pyright --level error

check: lint types
	$(RUN) pytest -m "not (notebook or browser or slow)" tests

bench: setup
	$(BIN)/python benchmarks/bench.py

browser: setup
	$(RUN) playwright install --with-deps chromium

lab: setup
	$(RUN) jupyter lab --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb

lint: setup
	$(RUN) ruff check .
	$(RUN) ruff format --check .

format: setup
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

lock: setup
	$(RUN) uv pip compile --quiet pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes --no-header --output-file requirements.lock

clean:
	$(PYTHON) -c "import shutil; [shutil.rmtree(d, ignore_errors=True) for d in ('.venv', 'build')]"
