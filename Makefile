# Bare `make` prints the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PRETTIER := node_modules/.bin/prettier --log-level warn

# Written once and read by all: else each of some hundred processes would compile the sources again.
unexport PYTHONDONTWRITEBYTECODE
# Tests that `make test` runs at the same time.
AT_ONCE ?= 5

.DEFAULT_GOAL := help
.PHONY: help run check test portable newest chaos bench lint format audit hashes settings pictures clean

help: ## Print the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/.runtime ## Run the whole stack: API, worker, Flower, Redis, a Twilio that rings nobody
	@exec $(BIN)/python -m devserver

# What needs neither Redis nor another process: over within a minute, for use while writing.
check: lint ## Check style and types, and run the unit tests
	@$(BIN)/python -m pytest -n 2 --durations=10 tests/unit $(ARGS)

# ARGS passes arguments to pytest: make test ARGS="-k settings --server=redis7". More at a time than
# there are cores: many tests wait most of the time, for a clock or for another process. Those that
# judge time run afterwards, by themselves. A part in which ARGS choose nothing (5) does not fail.
test: $(VENV)/.tools node_modules/.installed ## Run the tests
	@$(BIN)/python -m pytest -n $(AT_ONCE) --dist loadgroup --no-loadscope-reorder \
	  --durations=10 $(ARGS) --part=together; together=$$?; \
	$(BIN)/python -m pytest --durations=10 $(ARGS) -n 0 --part=alone; alone=$$?; \
	case $$together,$$alone in 0,0 | 0,5 | 5,0) ;; *) exit 1 ;; esac

# ARGS="-k run" runs a part of them.
portable: $(VENV)/.tools ## Run the acceptance tests without what only Linux has, as on macOS
	@$(BIN)/python -m pytest -n 2 --portable tests/acceptance $(ARGS)

# Asks the internet, so it is no part of the checks; it has an environment of its own.
newest: $(VENV)/.runtime $(VENV)/newest/.created ## Run the acceptance tests on the newest Flask, granian, redis-py and Celery
	@$(BIN)/python -m tests.newest > $(VENV)/newest/requirements.txt
	@$(VENV)/newest/bin/pip install --quiet --disable-pip-version-check --upgrade --upgrade-strategy eager \
	  -r $(VENV)/newest/requirements.txt -r requirements-dev.in
	@$(VENV)/newest/bin/pip install --quiet --disable-pip-version-check --no-deps -e . -e importer
	@$(VENV)/newest/bin/pip freeze | grep -iE '^(flask|werkzeug|granian|redis|celery|kombu)=='
	@$(VENV)/newest/bin/python -m pytest -n 2 tests/acceptance $(ARGS)

# FULL=1 runs every experiment at full size and at the product's own pace, for hours.
# Without ARGS the tests that try cases at random come first, with more cases than in make test.
chaos: $(VENV)/.tools node_modules/.installed ## Do harm to real processes and judge what is left of the promises
	@$(if $(ARGS),:,$(BIN)/python -m pytest -n 2 --full -m randomised)
	@$(BIN)/python -m tests.chaos $(if $(FULL),--full) $(ARGS)

# CASES="post bulk" measures those alone, ROUNDS=1 QUICK=1 is over within three minutes;
# PEER= is the command of another implementation: benchmarks/README.md.
bench: $(VENV)/.bench ## Measure, beside another implementation where PEER names one
	@$(BIN)/python -m benchmarks $(CASES) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(QUICK),--quick) $(ARGS)

# Without npm the dashboard's JavaScript is left out; CI has it.
lint: $(VENV)/.tools node_modules/.installed ## Check style, words, types and the direction of imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/python -m tests.vocabulary
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@! command -v npm >/dev/null || $(PRETTIER) --check .

format: $(VENV)/.tools node_modules/.installed ## Format the source
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@! command -v npm >/dev/null || $(PRETTIER) --write .

pictures: $(VENV)/.tools ## Take the pictures of the dashboard anew; wants Chromium
	@$(BIN)/python -m tests.browser.pictures

# Asks the internet, so it is no part of the checks; pip-audit has a place of its own.
audit: $(VENV)/audit/.pip-audit ## Look the pinned packages up among known vulnerabilities (asks the internet)
	@$(VENV)/audit/bin/pip-audit --strict --disable-pip --no-deps --requirement requirements.in
	@$(VENV)/audit/bin/pip-audit --strict --disable-pip --no-deps --requirement requirements-dev.in

# Asks the internet, so it is no part of the checks. What the index has of each pin, for all
# machines; a test compares the two files.
hashes: $(VENV)/hashes/.uv ## Write requirements*.txt anew: the pins of requirements*.in with their hashes
	@for file in requirements requirements-dev requirements-otel benchmarks/requirements; do \
	  $(VENV)/hashes/bin/uv pip compile --quiet --universal --python-version 3.11 --no-deps \
	    --generate-hashes --no-annotate --no-header $$file.in > $(VENV)/hashes/found && \
	  $(BIN)/python -m tests.pins $$file.in < $(VENV)/hashes/found > $(VENV)/hashes/whole && \
	  cp $(VENV)/hashes/whole $$file.txt || exit 1; \
	done

settings: $(VENV)/.runtime ## Write the settings' documentation anew
	@$(BIN)/python -m vomind_queue settings

clean: ## Remove what the other targets made, except the calls in .data
	rm -rf $(VENV) vomind_queue.egg-info node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are files, so that a second `make run` has nothing to set up.
$(VENV)/.created:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "$(PYTHON) is missing: install Python 3.11 or later."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or later is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1)." \
	       "Name another one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments." \
	       "On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Setting up $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: requirements.txt requirements.in pyproject.toml importer/pyproject.toml $(VENV)/.created
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e . -e importer
	@touch $@

$(VENV)/.tools: requirements-dev.txt $(VENV)/.runtime
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/.bench: benchmarks/requirements.txt $(VENV)/.tools
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes \
	  -r benchmarks/requirements.txt

$(VENV)/newest/.created: $(VENV)/.created
	@$(PYTHON) -m venv $(VENV)/newest
	@touch $@

$(VENV)/audit/.pip-audit: $(VENV)/.created
	@$(PYTHON) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	@touch $@

$(VENV)/hashes/.uv: $(VENV)/.created
	@$(PYTHON) -m venv $(VENV)/hashes
	@$(VENV)/hashes/bin/pip install --quiet --disable-pip-version-check uv==0.13.9
	@touch $@

# The contract tests run a tool from npm; without npm they are skipped (in CI they fail).
node_modules/.installed: $(wildcard package.json package-lock.json)
	@if [ ! -f package.json ]; then :; \
	elif command -v npm >/dev/null; then \
	  npm ci --silent --no-audit --no-fund && touch $@; \
	else echo "npm is missing: the contract tests and prettier will be skipped."; fi
