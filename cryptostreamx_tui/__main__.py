"""``python -m cryptostreamx_tui`` is ``cryptostreamx-tui``."""

import sys

from cryptostreamx_tui.cli import main

sys.exit(main())
