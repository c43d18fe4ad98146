"""The health of everything: as many views as there is room for, the current one among them."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.events import DescendantFocus, Resize
from textual.widget import Widget

from cryptostreamx_tui.export import Export
from cryptostreamx_tui.format import Line, Span
from cryptostreamx_tui.panes.health.brokers import BrokerRows
from cryptostreamx_tui.panes.health.engines import EngineRows
from cryptostreamx_tui.panes.health.figures import Figures
from cryptostreamx_tui.panes.health.groups import GroupRows
from cryptostreamx_tui.panes.health.interrupts import interrupted
from cryptostreamx_tui.panes.health.plan import WIDE, Plan, plan
from cryptostreamx_tui.panes.health.registry import SubjectRows
from cryptostreamx_tui.panes.health.services import ServiceRows
from cryptostreamx_tui.panes.health.tables import TableRows
from cryptostreamx_tui.panes.health.topics import TopicRows
from cryptostreamx_tui.panes.health.view import Listing, Section, Seen, ViewBar
from cryptostreamx_tui.panes.pane import Pane
from cryptostreamx_tui.state import State
from cryptostreamx_tui.widgets.filter import FilterLine
from cryptostreamx_tui.widgets.rows import Rows
from pipeline.model import ServiceState


class HealthPane(Pane):
    """Services, stages, brokers, topics, groups, registry, engines, tables."""

    key: ClassVar[str] = "health"
    filter_hint: ClassVar[str] = "part of a name"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.here = "services"
        """The view that the pane's keys are for."""
        self._first = "services"
        self._plan: Plan | None = None
        self._views: dict[str, Seen] = {}
        self._sections: list[Section] = []

    def content(self) -> ComposeResult:
        """A bar with the views' names above a grid of them."""
        views: tuple[Seen, ...] = (
            ServiceRows(),
            Figures(),
            BrokerRows(),
            TopicRows(),
            GroupRows(),
            SubjectRows(),
            EngineRows(),
            TableRows(),
        )
        self._views = {view.key: view for view in views}
        self._sections = [Section(view) for view in views]
        yield ViewBar(views, lambda: self.here, self.show)
        with Container(id="health-grid"):
            yield from self._sections

    # ------------------------------------------------------------ which views are in sight

    @property
    def view(self) -> Seen:
        """The view that the pane's keys are for."""
        return self._views[self.here]

    @property
    def stops(self) -> list[Widget]:
        """The views in sight."""
        return [section.view for section in self._sections if section.display]

    @property
    def rows(self) -> "Rows[object] | None":
        """The list that the pane's keys are for."""
        return self.view if isinstance(self.view, Rows) else None

    def show(self, key: str) -> None:
        """Bring a view into sight and give it the focus."""
        self._turn_to(key)
        if self._plan is None or key not in self._plan.keys:
            self._first = key
            self._arrange()
        self._views[key].focus(scroll_visible=False)
        self.host.touch()

    def fade(self, state: State, now: int) -> None:  # noqa: ARG002 - the views dim themselves
        """Give each view the room it needs now."""
        self._arrange()

    def _arrange(self) -> None:
        grid = self.query_one("#health-grid", Container)
        width, height = grid.size
        if not width or not height:
            return
        columns = 2 if width >= WIDE else 1
        wanted = [(section.view.key, section.wanted_height(width // columns)) for section in self._sections]
        made = plan(wanted, self._first, width, height)
        if self.here not in made.keys:
            self._first = self.here
            made = plan(wanted, self._first, width, height)
        if made == self._plan:
            return
        self._plan = made
        for section in self._sections:
            section.display = section.view.key in made.keys
        grid.styles.grid_size_columns = made.columns
        grid.styles.grid_size_rows = len(made.heights)
        grid.styles.grid_rows = " ".join(map(str, made.heights))  # parsed as in a style sheet

    def on_resize(self, _: Resize) -> None:
        """Give the views the new room at once."""
        self.call_after_refresh(self._arrange)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """The keys are for the view that has the focus."""
        if isinstance(event.widget, Seen):
            self._turn_to(event.widget.key)
            self.host.touch()

    def _turn_to(self, key: str) -> None:
        if key != self.here and self.filter_line is not None:
            self.filter_line.hide()  # it was for the view that is left
        self.here = key

    # ------------------------------------------------------------ what every pane has

    def facts(self, state: State, now: int) -> Line:  # noqa: ARG002
        """How many services are ready."""
        ready = sum(service.state is ServiceState.READY for service in state.services.values())
        total = len(state.services)
        return [Span(f"{ready} of {total} ready" if total else "", "dim" if ready == total else "warn")]

    def apply_filter(self, text: str) -> str | None:
        """List only what has ``text`` in its name, in the current view."""
        for view in self._views.values():
            if isinstance(view, Listing):
                view.only(text if view.key == self.here else "")
        return None

    def on_filter_line_left(self, event: FilterLine.Left) -> None:
        """The view that was filtered takes the focus again."""
        event.stop()
        event.prevent_default()  # the base's way is to the first list in sight
        self.view.focus(scroll_visible=False)
        self.host.touch()

    def export(self) -> Export | None:
        """Return what the current view lists."""
        return self.view.export()

    # ------------------------------------------------------------ actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """Only what is run here can be restarted or stopped."""
        if action in ("restart", "stop_or_start"):
            return self.view.service() is not None
        return True

    def action_next_view(self) -> None:
        """Show the next view."""
        self._step(1)

    def action_previous_view(self) -> None:
        """Show the view before."""
        self._step(-1)

    def _step(self, by: int) -> None:
        keys = list(self._views)
        self.show(keys[(keys.index(self.here) + by) % len(keys)])

    def action_restart(self) -> None:
        """Restart the service behind the selected row, after saying what that interrupts."""
        service = self.view.service()
        if service is not None:
            self.host.commands.restart(service, interrupted(service, self.host.state))

    def action_stop_or_start(self) -> None:
        """Stop the service behind the selected row, after saying what that interrupts; or start it again."""
        service = self.view.service()
        if service is None:
            return
        if self.host.state.services[service].state in (ServiceState.STOPPED, ServiceState.FAILED):
            self.host.commands.start_service(service)
        else:
            self.host.commands.stop_service(service, interrupted(service, self.host.state))
