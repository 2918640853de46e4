"""`python -m drills` is `drills`."""

from __future__ import annotations

import sys

from drills.cli import main

sys.exit(main())
