# Everything a person runs. Only Python 3.11+, make and the package registries are needed; .venv is made when missing.
PYTHON ?= python3
ARGS ?=

.PHONY: run demo cluster cluster-down test fast screens pictures check format lock clean

run: .venv/run.stamp
	@.venv/bin/cryptostreamx-tui $(ARGS)

# The whole pipeline over the simulated exchange, in a home of its own: needs nothing from outside but the servers' jars.
DEMO_HOME ?= .demo
DEMO_SYMBOLS = BTCUSDT,ETHUSDT,SOLUSDT,XRPUSDT,BNBUSDT,DOGEUSDT,ADAUSDT,SUIUSDT,LINKUSDT

demo: .venv/run.stamp
	@CRYPTOSTREAMX_SIMULATED_RATE=$${CRYPTOSTREAMX_SIMULATED_RATE:-400} .venv/bin/cryptostreamx-tui \
	    --profile local --feed simulated --home "$(DEMO_HOME)" --symbols $(DEMO_SYMBOLS) $(ARGS)

# The servers of docker/compose.yaml, then the application on them; the servers go on running when it ends.
# COMPOSE_ARGS="--profile ui" starts Kafka UI as well; `make cluster-down DOWN_ARGS=--volumes` deletes all data.
COMPOSE = docker compose --env-file docker/.env --file docker/compose.yaml
COMPOSE_ARGS ?=
DOWN_ARGS ?=

cluster: .venv/run.stamp docker/.env
	$(COMPOSE) $(COMPOSE_ARGS) up --build --detach --wait --wait-timeout 600
	@set -a; . docker/.env; . docker/cluster.env; set +a; \
	    exec .venv/bin/cryptostreamx-tui --profile cluster $(ARGS)

# With the optional services' profile, or they would be left over.
cluster-down: docker/.env
	$(COMPOSE) --profile ui down $(DOWN_ARGS)

docker/.env:
	@echo "docker/.env is missing: copy docker/.env.example to it and fill it in (docker/README.md)." >&2; exit 1

test: .venv/dev.stamp
	.venv/bin/python -m pytest -n auto --dist loadfile tests/unit tests/tui $(ARGS)
	.venv/bin/python -m pytest tests/contract tests/stack $(ARGS)

# Units and what keys do, on all cores: no server, no network, no pictures.
fast: .venv/dev.stamp
	.venv/bin/python -m pytest -n auto --dist loadfile -m "not screens" tests/unit tests/tui $(ARGS)

# The pictures of all screens, made anew: look at every one that changed (git diff, or the report it names).
screens: .venv/dev.stamp
	.venv/bin/python -m pytest -n auto --dist loadfile -m screens --snapshot-update tests/tui $(ARGS)

# The screens as they stand in the README, made by the application itself.
pictures: .venv/dev.stamp
	env -u NO_COLOR .venv/bin/python -m tests.tui.pictures docs/pictures

check: .venv/dev.stamp
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy

format: .venv/dev.stamp
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

# Rewrites the lock files from pyproject.toml: newest versions that fit, for every Python from 3.11 on.
lock: .venv/dev.stamp
	.venv/bin/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	    pyproject.toml -o requirements.txt
	.venv/bin/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	    --group dev pyproject.toml -c requirements.txt -o requirements-dev.txt

clean:
	rm -rf .venv .demo dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or later is needed; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv .venv

# The locked versions, check sums verified; then the project itself, editable.
.venv/run.stamp: requirements.txt pyproject.toml | .venv/bin/python
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/run.stamp
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
