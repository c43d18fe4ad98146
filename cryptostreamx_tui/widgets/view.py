"""The base of everything that is drawn: lines of toned spans become strips; nothing hostile gets past here."""

from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.events import Click
from textual.filter import ANSIToTruecolor
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from cryptostreamx_tui.format import Line, safe
from cryptostreamx_tui.state import State

if TYPE_CHECKING:
    from cryptostreamx_tui.app import CryptoStreamX

# Component classes of the screens, not of each view: Textual styles every component of every widget on every change
# of a class, and eleven tones on forty views made a change of layout cost half a second.
TONES = ("dim", "head", "strong", "accent", "good", "bad", "warn", "key", "tab", "title", "alarm")
"""Names of the tones: component classes ``tone--<name>`` of every screen, coloured by ``styles/tones.tcss``.

The tone ``""`` is the widget's own style.
"""

TONE_CLASSES = {f"tone--{tone}" for tone in TONES}


class View(Widget):
    """A widget drawn from the state. The frame clock calls ``redraw`` when it is visible and something changed.

    A view has no border, no padding and no opacity (style sheets give it margins only). That is what makes it cheap:
    Textual's own way from ``render_line`` to the screen costs as much again as our lines do.
    """

    topics: ClassVar[tuple[str, ...]] = ()
    """Topics of ``State.revision`` that it shows; the first is what it is about."""
    faded = False
    """Whether the data is too old to be shown as live."""
    ages: ClassVar[bool] = False
    """Whether it shows something that changes by the mere passing of time."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        self._toned: dict[str, Style] = {}
        self.stamp = -1
        """Sum of the topics' revisions when it was last drawn."""
        super().__init__(id=id, classes=classes)

    @property
    def host(self) -> "CryptoStreamX":
        """The application."""
        return cast("CryptoStreamX", self.app)

    @property
    def state(self) -> State:
        """What is known."""
        return self.host.state

    def on_mount(self) -> None:
        """Join the frame clock."""
        self.host.frame.join(self)

    def on_unmount(self) -> None:
        """Leave the frame clock."""
        self.host.frame.leave(self)

    @property
    def size(self) -> Size:
        """All of the widget: there is nothing around its content. Textual would look its place up each time."""
        return self.outer_size

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the lines of a region."""
        strips = [self.render_line(y) for y in crop.line_range]
        # Every tone is a true colour already: that filter has something to do only where they are dimmed.
        filters = [
            line_filter
            for line_filter in self.get_line_filters()
            if self.faded or not isinstance(line_filter, ANSIToTruecolor)
        ]
        if filters:
            _, background = self.background_colors
            for line_filter in filters:
                strips = [strip.apply_filter(line_filter, background) for strip in strips]
        if crop.column_span != (0, self.outer_size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def redraw(self) -> None:
        """Draw anew."""
        self.refresh()

    def tone(self, name: str) -> Style:
        """Return a tone's style over this widget's background."""
        made = self._toned.get(name)
        if made is None:
            made = self._toned[name] = self._tone(name) if name else self.rich_style
        return made

    def _tone(self, name: str) -> Style:
        styles = self.screen.get_component_styles(f"tone--{name}")
        _, under = self.background_colors
        if styles.has_rule("background"):
            under += styles.background
        return Style(color=(under + styles.color).rich_color, bgcolor=under.rich_color) + styles.text_style

    def notify_style_update(self) -> None:
        """Forget the tones made so far."""
        self._toned = {}
        super().notify_style_update()

    def strip(self, line: Line, width: int, over: Style | None = None) -> Strip:
        """Return a line as exactly ``width`` cells; ``over`` is laid over every tone (a cursor's background)."""
        base = self.tone("") if over is None else self.tone("") + over
        segments: list[Segment] = []
        run, run_tone = "", ""
        for span in line:
            text = span.text if span.text.isprintable() else safe(span.text)
            if span.tone == run_tone:
                run += text
                continue
            if run:
                segments.append(self._segment(run, run_tone, base, over))
            run, run_tone = text, span.tone
        if run:
            segments.append(self._segment(run, run_tone, base, over))
        length = 0
        for segment in segments:
            length += len(segment.text) if segment.text.isascii() else cell_len(segment.text)
        if length > width:
            return Strip(segments, length).crop(0, width)
        if length < width:
            segments.append(Segment(" " * (width - length), base))
        return Strip(segments, width)  # made once: a strip brings five caches with it

    def _segment(self, text: str, tone: str, base: Style, over: Style | None) -> Segment:
        if not tone:
            return Segment(text, base)
        style = self.tone(tone)
        return Segment(text, style if over is None else style + over)


class Lines(View):
    """A view of as many lines as it is high, made at once. What can be clicked is clickable."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._made: tuple[tuple[int, int], list[Line]] | None = None

    def lines(self, width: int, height: int) -> list[Line]:
        """Return what to show in ``width`` × ``height`` cells."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Make the lines anew, and draw those that differ."""
        size = (self.size.width, self.size.height)
        before, fresh = self._made, self.lines(*size)
        self._made = (size, fresh)
        if before is None or before[0] != size or len(before[1]) != len(fresh):
            self.refresh()
            return
        changed = [y for y, (old, new) in enumerate(zip(before[1], fresh, strict=True)) if old != new]
        if changed:
            self.refresh_lines_of(changed)

    def refresh_lines_of(self, changed: list[int]) -> None:
        """Draw some of the lines."""
        self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def current(self) -> list[Line]:
        """Return the lines for the present size."""
        size = (self.size.width, self.size.height)
        if self._made is None or self._made[0] != size:
            self._made = (size, self.lines(*size))
        return self._made[1]

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        lines = self.current()
        return self.strip(lines[y] if y < len(lines) else [], self.size.width)

    async def on_click(self, event: Click) -> None:
        """Do what the clicked span is for."""
        lines = self.current()
        if event.y >= len(lines):
            return
        x = 0
        for span in lines[event.y]:
            x += len(span.text)
            if event.x < x:
                if span.action:
                    event.stop()
                    await self.run_action(span.action)
                return
