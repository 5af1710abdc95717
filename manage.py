#!/usr/bin/env python
"""Django's command line. Run it with the project's environment (`make run` makes one in `.venv`)."""

from portal.__main__ import main

if __name__ == "__main__":
    main()
