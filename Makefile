# make demo: set up and run the main job on the embedded data.   make test: set up and check everything.
# The tests run on up to four processors, a file at a time on each, for the tests of a file share trained networks; the
# longest files first (tests/conftest.py).
PYTHON ?= python3
BIN := .venv/bin
PIP_OPTIONS := --quiet --disable-pip-version-check --no-compile -c constraints-dev.txt

.PHONY: demo test test-slow fuzz kills soak sbom docs benchmark lint clean

demo: .venv/installed
	$(BIN)/overread demo --out demo --force

test: lint
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder -m "not slow and not cluster"
	$(BIN)/python -m pytest -m "cluster and not slow" $$(grep -l mark.cluster tests/*.py)

test-slow: .venv/installed
	$(BIN)/python -m pytest -m slow

# Every parser that meets a stranger's bytes, each for so many seconds; see fuzz/README.md.
FUZZ_SECONDS ?= 300
fuzz: .venv/installed
	$(BIN)/python -m pip install $(PIP_OPTIONS) -e '.[fuzz]'
	$(BIN)/python fuzz/run.py --seconds $(FUZZ_SECONDS)

# Every command killed at each moment that matters, and typed again; see fuzz/README.md.
kills: .venv/installed
	PYTHONPATH=fuzz $(BIN)/python -m kills

# A real server under mixed traffic for so many minutes, with its database restarted and its workers killed.
SOAK_MINUTES ?= 60
soak: .venv/installed
	PYTHONPATH=benchmarks:tests $(BIN)/python -m soak --minutes $(SOAK_MINUTES)

# What each extra installs, with versions and licences: a CycloneDX file for each, in sbom/.
sbom: .venv/installed
	$(BIN)/python .ci/sbom.py --out sbom

# The documentation, in site/index.html.
docs: .venv/installed
	$(BIN)/python docs/build.py

# Speed, as ratios; needs the real images (OVERREAD_DATA). AUCMEDI is measured where AUCMEDI_PYTHON names a Python that has it.
benchmark: .venv/installed
	$(BIN)/python benchmarks/run_all.py $(if $(AUCMEDI_PYTHON),--aucmedi-python $(AUCMEDI_PYTHON))

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The pip of a system may be years old, which takes three times as long to choose; most of what is installed is never
# imported, so that compiling all of it takes longer than the tests need for their part.
.venv/installed: pyproject.toml constraints-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "overread needs Python 3.11 to 3.13: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install $(PIP_OPTIONS) --upgrade pip
	$(BIN)/python -m pip install $(PIP_OPTIONS) -e '.[dev]'
	@touch $@

clean:
	rm -rf .venv demo site sbom .fuzz
