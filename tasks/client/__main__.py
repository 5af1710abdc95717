"""``python -m portal_client``, or ``python -m tasks.client`` in a checkout: the portal from a shell."""

import sys

from .command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], name=f"python -m {__package__}"))
