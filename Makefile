# Each target installs what it needs on first use (stamps under .envs/) and starts at once afterwards.
PYTHON ?= python3
ENVS   := .envs
UV     := $(ENVS)/uv/bin/uv
DEV    := $(ENVS)/dev/bin
SAM    := $(ENVS)/sam/bin/sam
ENVIRONMENT ?= dev

.DEFAULT_GOAL := help
.PHONY: help demo test unit check format bench reliability docs build deploy lock dev emulator sam node clean

help: ## what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: dev emulator sam ## an outage on a local AWS, remedied and proven while you watch (two minutes)
	$(DEV)/selfright demo

test: dev emulator sam ## all tests: unit, emulator, journeys
	$(DEV)/pytest tests/unit -n auto
	$(DEV)/pytest tests/sandbox tests/live

unit: dev ## the unit tests alone (seconds)
	$(DEV)/pytest tests/unit -n auto

check: dev sam ## lint, format, types, import contracts, template, runbooks, recorded events, generated docs
	$(DEV)/ruff format --check .
	$(DEV)/ruff check .
	$(DEV)/mypy
	$(DEV)/lint-imports
	$(DEV)/selfright runbooks lint
	$(DEV)/selfright replay events
	$(DEV)/python docs/generate.py --check
	SAM_CLI_TELEMETRY=0 $(SAM) validate --lint --region us-east-1
	SAM_CLI_TELEMETRY=0 $(SAM) validate --lint --region us-east-1 --template sandbox/workload/template.yaml

format: dev ## format and fix what can be fixed
	$(DEV)/ruff format .
	$(DEV)/ruff check --fix .

docs: dev ## write docs/generated/ and workloads/schema.json anew
	$(DEV)/python docs/generate.py

bench: dev emulator sam $(ENVS)/bench/.installed $(ENVS)/c7n/.installed ## measure; writes benchmarks/results.json
	$(DEV)/python -m benchmarks

reliability: dev emulator sam ## make every AWS call of respond and deploy go wrong, one a run; writes docs/reliability.md
	$(DEV)/python -m reliability
	$(DEV)/python docs/generate.py

build: dev sam $(UV) ## build for AWS: python3.13, arm64; needs neither that interpreter nor Docker
	find functions -name __pycache__ -prune -exec rm -r {} +  # sam would zip what a test left there
	SELFRIGHT_TARGET=aws SAM_CLI_TELEMETRY=0 $(SAM) build --parallel

deploy: build ## deploy to your AWS account; ENVIRONMENT=dev|staging|prod names the section of samconfig.toml
	SAM_CLI_TELEMETRY=0 $(SAM) deploy --config-env $(ENVIRONMENT)

clean: ## delete what was built and installed
	rm -rf $(ENVS) .selfright .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# -- installing

dev: $(ENVS)/dev/.installed
emulator: $(ENVS)/emulator/.installed
sam: $(ENVS)/sam/.installed
node: $(ENVS)/node/.installed

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Selfright needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(ENVS)/uv
	$(ENVS)/uv/bin/pip install --quiet --disable-pip-version-check 'uv==0.13.9'

# One virtual environment per lock: the emulator and the SAM CLI each pin a botocore of their own.
$(ENVS)/%/.installed: locks/%.txt | $(UV)
	$(UV) venv --quiet --clear --python $(PYTHON) $(ENVS)/$*
	$(UV) pip install --quiet --python $(ENVS)/$*/bin/python --require-hashes -r $<
	$(if $(filter dev,$*),$(UV) pip install --quiet --python $(ENVS)/dev/bin/python --no-deps --no-build-isolation --editable .)
	@touch $@

# A linter for state machines, where Node is at hand; its tests skip where it is not.
$(ENVS)/node/.installed:
	mkdir -p $(ENVS)/node
	npm install --silent --no-save --no-package-lock --no-audit --no-fund --prefix $(ENVS)/node asl-validator@4.0.0
	@touch $@

COMPILE := pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

lock: | $(UV) ## resolve the newest allowed versions into locks/
	for name in bench c7n emulator sam vendor; do $(UV) $(COMPILE) locks/$$name.in -o locks/$$name.txt; done
	$(UV) $(COMPILE) --group pyproject.toml:dev pyproject.toml -o locks/dev.txt
