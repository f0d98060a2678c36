"""`python -m frameworks.crewai --help`, from the root, in this framework's environment."""

import sys

from frameworks.crewai import adapter
from frameworks.run_one import main

sys.exit(main(adapter))
