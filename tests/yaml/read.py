"""Reads a stream of YAML from stdin with the loader that the argument names; prints a JSON list of its documents.

Ends with status 3 where the loader is not there.
"""

import json
import sys

try:
    import yaml

    loader = getattr(yaml, sys.argv[1])
except (ImportError, AttributeError) as missing:
    sys.exit(print(missing, file=sys.stderr) or 3)

text = sys.stdin.buffer.read().decode("utf-8")
json.dump(list(yaml.load_all(text, Loader=loader)), sys.stdout)
