# `make app` starts the app and `make test` runs every test; each first sets up whatever is missing.
PYTHON ?= python3
PORT ?= 8501
ARGS ?=

VENV := .venv
RUN := $(VENV)/bin/python
# One more than there are cores, up to four: tests of the browser wait more than they compute.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(4, len(os.sched_getaffinity(0)) + 1) if hasattr(os, "sched_getaffinity") else 2)')
# Written after an install that went through, so a broken or outdated one is repeated.
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help app test slow check lint format measure crowd pictures chromium clean

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

app: $(INSTALLED) ## start the app on http://127.0.0.1:8501 (another port: PORT=8601 make app)
	@$(RUN) -c "$$PORT_IS_FREE" "$(PORT)"
	@$(RUN) -m streamlit run streamlit_app.py --server.port "$(PORT)"

test: $(INSTALLED_DEV) chromium ## run the tests (some of them: make test ARGS="tests/model/test_model.py -x")
	@$(RUN) -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not slow" $(ARGS)

slow: $(INSTALLED_DEV) ## run the tests that take longest: killed plans, a local Ray, whole queues
	@$(RUN) -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder -m slow $(ARGS)

check: ## everything that must hold before a change goes in: format, lint, types, tests
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory slow

lint: $(INSTALLED_DEV) ## formatting, ruff, mypy, who may import whom and the JavaScript, without the tests
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy
	@$(VENV)/bin/lint-imports --no-cache --no-logo
	@$(VENV)/bin/oxlint --quiet --deny-warnings app/player hri/view

format: $(INSTALLED_DEV) ## rewrite the code in the project's format
	@$(RUN) -m ruff check --fix-only --quiet .
	@$(RUN) -m ruff format .

measure: $(INSTALLED_DEV) chromium ## time the app in a real browser and print one JSON object
	@$(RUN) tests/browser/measure.py $(ARGS)

crowd: $(INSTALLED_DEV) chromium ## twenty browsers at once for two minutes (a class: make crowd ARGS="--classroom --browsers 30")
	@$(RUN) tests/browser/crowd.py $(ARGS)

pictures: $(INSTALLED_DEV) chromium ## make the README's pictures anew from the running app
	@$(RUN) assets/make_pictures.py $(ARGS)

clean: ## remove the environment and every cache; checkpoints and runs stay
	rm -rf $(VENV) .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build *.egg-info tests/browser/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements.txt
	$(call install,requirements.txt)
	@touch $@

$(INSTALLED_DEV): requirements-dev.txt requirements.txt
	$(call install,requirements-dev.txt)
	@touch $(INSTALLED) $@

define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "HRI Explorer needs Python 3.11 or newer; name one that you have: make PYTHON=python3.11 ..." >&2; exit 1; }
	@echo "Setting up $(VENV) with the packages of $(1); once, it takes a few minutes."
	@$(PYTHON) -m venv $(VENV)
	@$(RUN) -m pip install --disable-pip-version-check --requirement $(1)
endef

chromium:
	@if ! command -v chromium >/dev/null; then \
		if [ "$$(id -u)" = 0 ]; then root=""; else root="sudo -n"; fi; \
		if command -v apt-get >/dev/null && $$root true 2>/dev/null; then \
			echo "Installing Chromium for the tests that need a browser."; \
			$$root apt-get update --quiet=2; \
			$$root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends \
				-o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 chromium >/dev/null; \
		fi; \
		command -v chromium >/dev/null || { \
			echo "Chromium is missing and cannot be installed from here: install your system's package \`chromium\`," \
				"or run the other tests with: $(RUN) -m pytest -m 'not browser'" >&2; exit 1; }; \
	fi

# Streamlit would say it in three lines, or silently move to the next port.
define PORT_IS_FREE
import socket, sys
port = sys.argv[1]
if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
    sys.exit(f"PORT={port} is not a port: choose a number from 1024 to 65535, such as PORT=8601 make app")
with socket.socket() as probe:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", int(port)))
    except OSError as error:
        sys.exit(f"Port {port} cannot be used ({error.strerror}): stop what holds it or choose another, such as PORT=8601 make app")
endef
export PORT_IS_FREE
