"""`python -m frameworks.agent_framework --help`, from the root, in this framework's environment."""

import sys

from frameworks.agent_framework import adapter
from frameworks.run_one import main

sys.exit(main(adapter))
