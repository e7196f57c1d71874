"""`python -m watchtree`: the same as the command `watchtree`."""

import sys

from watchtree.cli import main

if __name__ == "__main__":
    sys.exit(main())
