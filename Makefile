# Everything happens in portal/launch/bootstrap.py; without make: python3 portal/launch/bootstrap.py TARGET
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help run stop test check bench load chaos requirements clean

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 15

run: ## start everything on http://127.0.0.1:8000 (PORT=9000, WORKERS=4)
	@$(PYTHON) portal/launch/bootstrap.py run

stop: ## stop what `make run` started in this checkout
	@$(PYTHON) portal/launch/bootstrap.py stop

test: ## run the tests (ARGS="-k lanes")
	@$(PYTHON) portal/launch/bootstrap.py test

check: ## lint, format, types, layers, circles, copies, migrations, Django's checks
	@$(PYTHON) portal/launch/bootstrap.py check

load: ## send load from 10 and 100 users, write a table and a plot to .portal/load (LOAD_SECONDS=60)
	@$(PYTHON) portal/launch/bootstrap.py load

bench: ## measure submit, pick-up and drain
	@$(PYTHON) portal/launch/bootstrap.py bench

chaos: ## break everything for long, negative controls included (MINUTES=60 SEED=7)
	@$(PYTHON) portal/launch/bootstrap.py chaos

requirements: ## pin requirements/*.in anew into requirements/*.txt
	@$(PYTHON) portal/launch/bootstrap.py requirements

clean: ## delete the environment, the database and all files of this checkout (CONFIRM=1)
	@$(PYTHON) portal/launch/bootstrap.py clean
