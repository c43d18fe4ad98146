"""The faults that can be asked for, and the plan of which frame meets which. Pure: no I/O, no clock, its own seed.

On the command line: ``NAME`` or ``NAME:key=value,key=value``; over standard input: a ``Command`` with ``fault`` and
``fault_args``. Asking again for a fault replaces what was asked before (``next=0`` ends it).

============  =========================  ======================================================================
name          keys (default)             what happens
============  =========================  ======================================================================
drop          next (1), every,           the frame is not sent; REST has the trade
              probability
repeat        as drop                    the frame is sent twice
reorder       as drop; depth (1)         the frame is sent 1 to ``depth`` frames later
malformed     as drop; case              a malformed frame is sent just before the real one, the kinds in turn,
                                         or always the one of number ``case`` (see ``malformed.KINDS``)
reset         count (1), after (0)       every connection is aborted in the middle of a frame, ``count`` times,
                                         each after ``after`` more frames
silence       seconds (30), after (0)    connections open then get nothing more, pings and answers neither, and are
                                         not read from; when it is over they live on, without what they missed
shutdown      seconds (5), after (0)     ``serverShutdown`` to the connections open then; closed after ``seconds``
accept_close  next (1)                   that many connections are accepted and closed at once
rest_status   status (429, 418, 500,     that many REST calls get this answer; status 0 or ``timeout``: none at
              503, 0), next (1),         all, until the client gives up; ``Retry-After`` goes with 429 and 418
              retry_after (5)
============  =========================  ======================================================================
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.exchange.malformed import malformed
from pipeline.exchange.trades import Frame

_PICKING = frozenset({"next", "every", "probability"})
KEYS: dict[str, frozenset[str]] = {
    "drop": _PICKING,
    "repeat": _PICKING,
    "reorder": _PICKING | {"depth"},
    "malformed": _PICKING | {"case"},
    "reset": frozenset({"count", "after"}),
    "silence": frozenset({"seconds", "after"}),
    "shutdown": frozenset({"seconds", "after"}),
    "accept_close": frozenset({"next"}),
    "rest_status": frozenset({"status", "next", "retry_after"}),
}
"""Fault → the keys it takes."""
REST_STATUSES = (0, 418, 429, 500, 503)


class FaultError(ValueError):
    """A fault was asked for that there is not, or in a way it cannot be made."""


def parse_fault(text: str) -> tuple[str, dict[str, float]]:
    """Read ``NAME[:key=value,…]``.

    Raises:
        FaultError: it is not of that form; whether the fault exists is ``FaultPlan.ask``'s to say.
    """
    name, _, rest = text.partition(":")
    args: dict[str, float] = {}
    for part in filter(None, rest.split(",")):
        key, _, value = part.partition("=")
        try:
            args[key.strip()] = 0.0 if value.strip() == "timeout" else float(value)
        except ValueError:
            raise FaultError(f"fault {name}: {part!r} is not of the form key=number") from None
    return name.strip(), args


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do to connections, now."""

    name: str
    """``reset``, ``silence`` or ``shutdown``."""
    seconds: float


@dataclass(frozen=True, slots=True)
class RestFault:
    """The answer that a REST call gets instead of its own."""

    status: int
    """0: no answer at all."""
    retry_after: int | None


class _Picks:
    """Chooses frames: the next N, every N-th, or each with a probability."""

    def __init__(self, args: Mapping[str, float], rng: random.Random) -> None:
        self.args = args
        self.rng = rng
        self._every = int(args.get("every", 0))
        self._probability = args.get("probability", 0.0)
        self._next = int(args.get("next", 0 if self._every or self._probability else 1))
        self._seen = 0

    def pick(self) -> bool:
        self._seen += 1
        if self._next > 0:
            self._next -= 1
            return True
        if self._every and self._seen % self._every == 0:
            return True
        return self._probability > 0 and self.rng.random() < self._probability


@dataclass(slots=True)
class _Due:
    action: Action
    after: int
    left: int
    times: int


class FaultPlan:
    """What was asked for, what is due, and how often each fault was made."""

    def __init__(self, seed: int) -> None:
        self.made: Counter[str] = Counter()
        """Fault → frames met, or connections and REST calls it was done to."""
        self._seed = seed
        self._picks: dict[str, _Picks] = {}
        self._held: tuple[Frame, int] | None = None
        self._cycle = 0
        self._due: list[_Due] = []
        self._accept_close = 0
        self._rest: list[RestFault] = []

    def ask(self, name: str, args: Mapping[str, float] | None = None) -> None:
        """Ask for a fault from now on.

        Raises:
            FaultError: there is no such fault or key, or a value makes no sense.
        """
        args = dict(args or {})
        if name not in KEYS:
            raise FaultError(f"there is no fault {name!r}; there are {', '.join(KEYS)}")
        if unknown := args.keys() - KEYS[name]:
            raise FaultError(f"fault {name} takes {', '.join(sorted(KEYS[name]))}, not {', '.join(sorted(unknown))}")
        for key, value in args.items():
            if not 0 <= value <= 1e9:
                raise FaultError(f"fault {name}: {key}={value} makes no sense")
        if name == "accept_close":
            self._accept_close = int(args.get("next", 1))
        elif name == "rest_status":
            status = int(args.get("status", 503))
            if status not in REST_STATUSES:
                raise FaultError(f"fault rest_status: status is one of {', '.join(map(str, REST_STATUSES))}")
            retry_after = int(args.get("retry_after", 5)) if status in (418, 429) or "retry_after" in args else None
            self._rest = [RestFault(status, retry_after)] * int(args.get("next", 1))
        elif name in ("drop", "repeat", "reorder", "malformed"):
            # Text seeds are hashed in full, so that each fault draws from a stream of its own.
            self._picks[name] = _Picks(args, random.Random(f"{self._seed}:{name}"))  # noqa: S311 - nothing secret
        else:
            after = int(args.get("after", 0))
            seconds = args.get("seconds", 30.0 if name == "silence" else 5.0)
            self._due = [due for due in self._due if due.action.name != name]
            self._due.append(_Due(Action(name, seconds), after, after, int(args.get("count", 1))))

    def frames(self, frames: Iterable[Frame]) -> list[Frame]:
        """Return what is sent instead of ``frames``."""
        if not self._picks and self._held is None:
            return list(frames)
        out: list[Frame] = []
        for frame in frames:
            if self._picked("drop"):
                continue
            # Only a trade can be malformed in all the ways there are.
            if b'"e":"trade"' in frame.text and self._picked("malformed"):
                case = self._picks["malformed"].args.get("case")
                out.append(Frame(frame.symbol, malformed(frame.text, self._cycle if case is None else int(case))))
                self._cycle += case is None
            if self._held is None and self._picked("reorder"):
                picks = self._picks["reorder"]
                self._held = frame, picks.rng.randint(1, max(1, int(picks.args.get("depth", 1))))
                continue
            out.append(frame)
            if self._picked("repeat"):
                out.append(frame)
            if self._held is not None:
                held, left = self._held
                self._held = (held, left - 1) if left > 1 else None
                if left <= 1:
                    out.append(held)
        return out

    def rest_of_frames(self) -> list[Frame]:
        """Return what ``reorder`` still holds back, when no frame follows."""
        held, self._held = self._held, None
        return [held[0]] if held else []

    def until_action(self) -> int | None:
        """Return how many frames may pass before the next action is due; None where none is planned."""
        return min((due.left for due in self._due), default=None)

    def actions(self, passed: int = 0) -> list[Action]:
        """Count ``passed`` frames and return the actions that are due now."""
        out: list[Action] = []
        for due in self._due:
            due.left -= passed
            if due.left <= 0 and due.times > 0:
                out.append(due.action)
                due.times -= 1
                due.left = due.after
        self._due = [due for due in self._due if due.times > 0]
        return out

    def accept_close(self) -> bool:
        """Tell whether the connection that was just accepted is to be closed at once."""
        if self._accept_close <= 0:
            return False
        self._accept_close -= 1
        self.made["accept_close"] += 1
        return True

    def rest(self) -> RestFault | None:
        """Return the answer that this REST call gets instead of its own, if one was asked for."""
        if not self._rest:
            return None
        self.made["rest_status"] += 1
        return self._rest.pop()

    def _picked(self, name: str) -> bool:
        picks = self._picks.get(name)
        if picks is None or not picks.pick():
            return False
        self.made[name] += 1
        return True
