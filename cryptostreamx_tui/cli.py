"""The command line. ``--help`` and ``--version`` answer from here alone: nothing heavy is imported before them."""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import __version__
from pipeline.text import clean

if TYPE_CHECKING:
    from cryptostreamx_tui.configuration import Configuration
    from cryptostreamx_tui.stack_like import StackLike
    from pipeline.settings import Settings

    Screen = Callable[[StackLike], int]
    """Runs the screen on a stack and returns the exit code."""

USAGE_ERROR = 2

EPILOG = """\
Each flag is also an environment variable, CRYPTOSTREAMX_FEED for --feed and so on, and may stand in a file .env
in the working directory; servers of your own are named there too (see .env.example).
flag > environment > .env > default."""


def parser() -> argparse.ArgumentParser:
    """Return the parser; every flag's absence is kept apart from its default, which is the settings' to give."""
    result = argparse.ArgumentParser(
        prog="cryptostreamx-tui",
        description="Live crypto trades through Kafka and ClickHouse: launch, supervise and read it from a terminal.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    add = result.add_argument
    add("--profile", metavar="local|cluster", help="local (default): start all servers here; cluster: use your own")
    add("--feed", metavar="live|simulated|FILE", help="Binance (default), the simulated exchange, or a recording")
    add("--speed", metavar="N|max", help="pace of a recording: a factor, or as fast as it is taken (default 1)")
    add("--symbols", metavar="A,B,…", help="symbols to stream from the start (default BTCUSDT,ETHUSDT)")
    add("--home", metavar="DIR", help="folder for logs/, data/ and run/ (default: the user's state folder)")
    add("--config", metavar="FILE", help="the screen's theme, keys and alerts (TOML, see config.example.toml)")
    add("--headless", action="store_true", help="no screen; one JSON object a line")
    add("--attach", action="store_true", help="watch the instance that runs in the home; it goes on when you quit")
    add("--until-end", action="store_true", help="with a recording and --headless: end once everything has arrived")
    add("--version", action="version", version=f"%(prog)s {__version__}")
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Run the application; return its exit code (2 for wrong settings or a home that cannot be used)."""
    flags: dict[str, Any] = vars(parser().parse_args(argv))

    from pipeline.settings import Settings, SettingsError, world_readable_secrets

    env_file = Path(".env")
    try:
        settings = Settings.load(flags, env_file)
    except SettingsError as error:
        return refuse("these settings cannot be used:", *error.problems)
    if world_readable_secrets(env_file):
        print(f"warning: {env_file.resolve()} holds passwords and every user can read it: chmod 600", file=sys.stderr)

    screen: Screen | None = None
    if not settings.headless:
        from cryptostreamx_tui.configuration import Configuration, ConfigurationError

        try:
            configuration = Configuration.load(settings.config)
        except ConfigurationError as error:
            return refuse(f"{clean(str(error.path))} cannot be used:", *error.problems)
        screen = partial(run_screen, configuration)
        if settings.attach:
            return attach(settings, screen)

    from pipeline.home import HomeInUseError, WrongFeedError
    from pipeline.stack import Stack

    stack = Stack(settings)
    try:
        stack.open()
    except (HomeInUseError, WrongFeedError, OSError) as error:
        return refuse(str(error))
    try:
        if screen is None:
            from cryptostreamx_tui.headless import run_headless

            return run_headless(stack)
        return screen(stack)
    finally:
        stack.close()


def run_screen(configuration: "Configuration", stack: "StackLike") -> int:
    """Run the screen; return its exit code."""
    from cryptostreamx_tui.app import CryptoStreamX
    from cryptostreamx_tui.chosen import default_place

    return CryptoStreamX(stack, configuration=configuration, kept=default_place()).run() or 0


def attach(settings: "Settings", screen: "Screen") -> int:
    """Watch the instance that runs in the home; return the exit code (2 where none does)."""
    from pipeline.attach.watched import AttachedStack, NotRunningError

    stack = AttachedStack(settings)
    try:
        stack.open()
    except NotRunningError as error:
        from pipeline.attach.place import running_beside
        from pipeline.home import Home

        others = [
            f"one runs in {home}: cryptostreamx-tui --attach --home {home}"
            for home in running_beside(Home(settings.home))
        ]
        first = "start one (cryptostreamx-tui, or cryptostreamx-tui --headless), or name its home with --home"
        return refuse(str(error), *(others or [first]))
    return screen(stack)


def refuse(*lines: str) -> int:
    """Say on standard error why nothing was started."""
    print("cryptostreamx-tui:", *lines, sep="\n  " if len(lines) > 1 else " ", file=sys.stderr)
    return USAGE_ERROR
