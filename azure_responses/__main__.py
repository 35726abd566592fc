"""`python -m azure_responses` is the `azure-responses` command."""

import sys

from azure_responses.cli import main

if __name__ == "__main__":
    sys.exit(main())
