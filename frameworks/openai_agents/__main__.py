"""`python -m frameworks.openai_agents --help`, from the root, in this framework's environment."""

import sys

from frameworks.openai_agents import adapter
from frameworks.run_one import main

sys.exit(main(adapter))
