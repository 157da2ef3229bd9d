# Everything a user or a developer runs. Each target is thin; docs/reference/commands.md says what they do.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run-installed
DEV := $(VENV)/.dev-installed
# pycanon pins numpy and pandas: it measures what we measure in an environment of its own.
ORACLE := .venv-oracle/.installed
# Built from source against the headers of OpenLDAP and SASL, so not part of what everybody installs.
LDAP := $(VENV)/.ldap-installed
# Enough of a production environment for Django's deployment checks; nothing is served with it.
PRODUCTION = VAULT_ENV=production VAULT_ALLOWED_HOSTS=vault.example.org \
  VAULT_SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))')
BESIDE_SERVERS := $(BIN)/python -m vaultsite.runtime exec --
PIP_COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --generate-hashes --strip-extras --allow-unsafe \
  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --quiet $(if $(UPGRADE),--upgrade)

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

.PHONY: run test check format demo bench schema docs maintain ldap lock clean help
.DEFAULT_GOAL := help

run: $(RUN)  ## start the vault: servers, web, live feed, worker, beat, relay, webhooks (PORT=8000, VAULT_HOME=./.vault)
	@$(BIN)/python -m vaultsite.runtime

test: $(DEV) $(ORACLE)  ## run the whole suite on embedded servers, a process a core (ONLY=tests/kernel for a part)
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ONLY)

check: $(DEV)  ## lint, format, types, import order, templates, migrations, deployment settings, OpenAPI
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy vaultsite access audit anonymization datasets compliance
	$(BIN)/lint-imports
	$(BIN)/djlint --check --lint templates
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python manage.py spectacular --validate --fail-on-warn | diff -u docs/reference/openapi.yaml -

format: $(DEV)  ## let ruff and djlint rewrite what `make check` would refuse
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djlint --reformat templates

demo: $(RUN)  ## run the main job once without a browser and print a report (FILE=records.jsonl for one of yours)
	@$(BESIDE_SERVERS) $(BIN)/python manage.py demo $(FILE)

bench: $(DEV)  ## measure, print a table, write bench.json (ONLY=name,name for some)
	@VAULT_HOME=$${VAULT_HOME:-.vault-bench} $(BESIDE_SERVERS) $(BIN)/python -m tests.benchmarks $(if $(ONLY),--only $(ONLY))

schema: $(DEV)  ## write the OpenAPI description that the tests compare with
	$(BIN)/python manage.py spectacular --validate --file docs/reference/openapi.yaml

docs: $(DEV)  ## write the generated parts of docs/reference (errors, configuration, events)
	$(BIN)/python manage.py write_reference

maintain: $(RUN)  ## make partitions ahead and drop those past retention, as the owner of the database
	@$(BESIDE_SERVERS) $(BIN)/python manage.py maintain

ldap: $(LDAP)  ## install what sign-in with LDAP needs (libldap2-dev, libsasl2-dev and a C compiler must be there)

lock: $(DEV)  ## choose versions anew and write them with their hashes to requirements/ (UPGRADE=1 for the newest)
	$(PIP_COMPILE) --extra embedded --extra parquet --extra privacy --extra reports --extra saml --output-file requirements/run.txt pyproject.toml
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")' \
	  | $(PIP_COMPILE) --constraint requirements/run.txt --output-file requirements/dev.txt -
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["ldap"], sep="\n")' \
	  | $(PIP_COMPILE) --constraint requirements/run.txt --output-file requirements/ldap.txt -
	echo pycanon | $(PIP_COMPILE) --output-file requirements/pycanon.txt -

clean:  ## remove what can be made again: the environment, caches, test servers; never VAULT_HOME
	rm -rf $(VENV) .venv-oracle .vault-test* .vault-bench .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench.json
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

# pip and not python: without ensurepip (Debian's python3-venv) a failed venv leaves a python behind.
$(BIN)/pip:
	@echo "making $(VENV) with $(PYTHON) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ..")'
	@$(PYTHON) -m venv $(VENV)

$(RUN): requirements/run.txt | $(BIN)/pip
	@echo "installing the packages of requirements/run.txt (a minute or two, once) ..."
	@$(BIN)/pip install --disable-pip-version-check --progress-bar off --require-hashes -r requirements/run.txt
	@touch $@

$(LDAP): requirements/ldap.txt | $(RUN)
	@echo "building the packages of requirements/ldap.txt ..."
	@$(BIN)/pip install --disable-pip-version-check --progress-bar off --require-hashes -r requirements/ldap.txt
	@touch $@

$(ORACLE): requirements/pycanon.txt
	@echo "installing the packages of requirements/pycanon.txt into .venv-oracle ..."
	@$(PYTHON) -m venv .venv-oracle
	@.venv-oracle/bin/pip install --disable-pip-version-check --progress-bar off --require-hashes -r requirements/pycanon.txt
	@touch $@

$(DEV): requirements/dev.txt $(RUN)
	@echo "installing the packages of requirements/dev.txt ..."
	@$(BIN)/pip install --disable-pip-version-check --progress-bar off --require-hashes -r requirements/run.txt -r requirements/dev.txt
	@touch $@
