"""`python -m cluster plans/quick.yaml` is `levelfield run plans/quick.yaml`; other commands work too."""

import sys

from cluster.cli import command_names, main

arguments = sys.argv[1:]
is_command = bool(arguments) and (arguments[0] in command_names() or arguments[0] in ("--help", "-h"))
main(arguments if is_command else ["run", *arguments])
