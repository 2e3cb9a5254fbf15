"""`python -m tests.fuzz`, from the checkout's root. What tests share is found as pytest finds it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.command import main

sys.exit(main())
