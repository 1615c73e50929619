# Each target is one line; scripts live with what they do.
PYTHON ?= python3.11
BIN := .venv/bin
export VULTUS_HOME ?= $(CURDIR)/.vultus
.PHONY: run serve ui images check test fast journeys manifests containers soak-containers format install clean
.DEFAULT_GOAL := run

$(BIN)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv && $(BIN)/pip install -q "$$(grep '^torch==' constraints.txt)" "$$(grep '^torchvision==' constraints.txt)" && $(BIN)/pip install -q -c constraints.txt -e '.[dev]' && touch $@
install: $(BIN)/.installed
run: install
	$(BIN)/vultus run
serve: install
	$(BIN)/vultus serve
ui: install
	$(BIN)/vultus ui
images: install
	$(BIN)/vultus images
format: install
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .
check: install
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/lint-imports && OMP_NUM_THREADS=1 $(BIN)/pytest -q -n auto --dist loadfile -m "not slow and not journey and not container and not realdata"
test: check
	$(BIN)/pytest -q -m "slow or journey or container or realdata"
manifests: install
	$(BIN)/pytest -q tests/manifests
containers: install
	$(BIN)/pytest -q tests/containers
soak-containers: install
	VULTUS_TEST_TRAINING=1 $(BIN)/pytest -q tests/containers
bench-%: install
	$(BIN)/python -m benchmarks.$*
soak-%: install
	$(BIN)/python -m benchmarks.soak_$*
clean:
	rm -rf .vultus reports .mypy_cache .ruff_cache .pytest_cache
