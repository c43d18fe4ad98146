"""The health pane, a file for each of its views."""

from cryptostreamx_tui.panes.health.figures import Strip
from cryptostreamx_tui.panes.health.pane import HealthPane

__all__ = ["HealthPane", "Strip"]
