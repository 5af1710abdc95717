"""``python -m tasks.client``: the portal from a shell. See docs/client.md."""

import sys

from tasks.client.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
