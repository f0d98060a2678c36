"""`python -m frameworks.langgraph --help`, from the root, in this framework's environment."""

import sys

from frameworks.langgraph import adapter
from frameworks.run_one import main

sys.exit(main(adapter))
