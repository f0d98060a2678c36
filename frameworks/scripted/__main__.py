"""`python -m frameworks.scripted --help`, from the root, in this framework's environment."""

import sys

from frameworks.run_one import main
from frameworks.scripted import adapter

sys.exit(main(adapter))
