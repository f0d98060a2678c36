"""`python -m frameworks.autogen --help`, from the root, in this framework's environment."""

import sys

from frameworks.autogen import adapter
from frameworks.run_one import main

sys.exit(main(adapter))
