# Everything here runs in the project's own .venv, which is made on first use: with uv when it is
# there, else with python3 -m venv and pip. Paths stay relative, so a clone may lie in "a folder like this".

RUN = .venv/bin
SOURCES = agent_coord.py coordinator analyzer resources tests benchmarks

.PHONY: demo test test-real lint format clean

demo: .venv/.ready        ## set up everything and run the whole story on a sample repository
	@$(RUN)/agent-coord demo

test: .venv/.ready        ## the tests that every machine can pass
	$(RUN)/python -m pytest -q -n 2 -m "not real"

# Code 5 of pytest says that no test was collected.
test-real: .venv/.ready   ## the tests that need real peers; each is skipped with its reason where one is missing
	@[ -e .venv/.real ] || { sh .ci/environment real && touch .venv/.real; } || echo "real agent programs could not be installed" >&2
	$(RUN)/python -m pytest -q -n 2 -m real || [ $$? -eq 5 ]

lint: .venv/.ready        ## format, lint, types, import arrows
	$(RUN)/ruff format --check $(SOURCES)
	$(RUN)/ruff check $(SOURCES)
	$(RUN)/ty check $(SOURCES)
	$(RUN)/lint-imports

format: .venv/.ready
	$(RUN)/ruff format $(SOURCES)
	$(RUN)/ruff check --fix $(SOURCES)

clean:
	rm -rf .venv .pytest_cache .ruff_cache dist

.venv/.ready: pyproject.toml .ci/environment
	@sh .ci/environment
	@touch .venv/.ready
