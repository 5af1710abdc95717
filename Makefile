# Everything happens in portal/launch/bootstrap.py; without make: python3 portal/launch/bootstrap.py TARGET
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help run stop test check bench quality load chaos model languages requirements clean

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

bench: ## measure what the queue costs, beside what this machine can do (ONLY=drain AGAINST=file PEERS=1)
	@$(PYTHON) portal/launch/bootstrap.py bench

quality: ## measure what engines get right, fail where it is less than before (ONLY=ocr,tables KEEP=1)
	@$(PYTHON) portal/launch/bootstrap.py quality

chaos: ## break everything for long, negative controls included (MINUTES=60 SEED=7)
	@$(PYTHON) portal/launch/bootstrap.py chaos

model: ## check the model of the lifecycle, and that it notices what is taken out (FAULTS=2 ONLY=chain STORIES=1)
	@$(PYTHON) portal/launch/bootstrap.py model

languages: ## take new texts into portal/locale/ and compile it
	@$(PYTHON) portal/launch/bootstrap.py languages

requirements: ## pin requirements/*.in anew into requirements/*.txt
	@$(PYTHON) portal/launch/bootstrap.py requirements

clean: ## delete the environment, the database and all files of this checkout (CONFIRM=1)
	@$(PYTHON) portal/launch/bootstrap.py clean
