"""`python -m frameworks.direct --help`, from the root, in this framework's environment."""

import sys

from frameworks.direct import adapter
from frameworks.run_one import main

sys.exit(main(adapter))
