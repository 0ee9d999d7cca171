# Each target installs what it needs on first use (stamps under .envs/) and starts at once afterwards.
PYTHON ?= python3
ENVS   := .envs
UV     := $(ENVS)/uv/bin/uv
DEV    := $(ENVS)/dev/bin
SELFRIGHT := $(DEV)/selfright

.DEFAULT_GOAL := help
.PHONY: help demo test unit check format bench docs build deploy lock clean

help: ## what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

$(UV):
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Selfright needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(ENVS)/uv
	$(ENVS)/uv/bin/pip install --quiet 'uv==0.13.9'

# One virtual environment per lock: the emulator and the SAM CLI each pin a botocore of their own.
$(ENVS)/%/.installed: locks/%.txt | $(UV)
	$(UV) venv --quiet --clear --python $(PYTHON) $(ENVS)/$*
	$(UV) pip install --quiet --python $(ENVS)/$*/bin/python --require-hashes -r $<
	$(if $(filter dev,$*),$(UV) pip install --quiet --python $(ENVS)/dev/bin/python --no-deps --no-build-isolation --editable .)
	@touch $@

.PHONY: dev emulator sam
dev: $(ENVS)/dev/.installed
emulator: $(ENVS)/emulator/.installed
sam: $(ENVS)/sam/.installed

lock: | $(UV) ## resolve the newest allowed versions into locks/
	for name in emulator sam vendor; do $(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url locks/$$name.in -o locks/$$name.txt; done
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --group pyproject.toml:dev pyproject.toml -o locks/dev.txt
