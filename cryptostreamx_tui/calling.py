"""Calling a person who looks elsewhere: the escape sequence of a desktop notification. Pure: the environment comes in.

Terminals know one of three sequences, some know several and would show the same thing twice: so one is sent, by what
the terminal says of itself. One that knows none ignores it.
"""

from collections.abc import Mapping

from pipeline.text import clean

LONGEST = 200
TITLE = "CryptoStreamX"


def notification(words: str, environment: Mapping[str, str]) -> str:
    """Return what to write to the terminal so that the desktop shows ``words`` (cleaned here).

    OSC 99 is kitty's (sw.kovidgoyal.net/kitty/desktop-notifications), OSC 777 that of urxvt, foot and VTE, OSC 9
    iTerm2's, which most others take.
    """
    # Not a semicolon: it separates the parts of OSC 777, and OSC 9 with "4;" is a progress bar.
    text = clean(words, LONGEST).replace(";", ",")
    term = environment.get("TERM", "")
    if "KITTY_WINDOW_ID" in environment or "kitty" in term:
        made = f"\x1b]99;i=cryptostreamx:d=0;{TITLE}\x1b\\\x1b]99;i=cryptostreamx:d=1:p=body;{text}\x1b\\"
    elif "VTE_VERSION" in environment or term.startswith(("foot", "rxvt")):
        made = f"\x1b]777;notify;{TITLE};{text}\x1b\\"
    else:
        made = f"\x1b]9;{TITLE}: {text}\x07"
    if "TMUX" in environment:  # passed on where tmux may (allow-passthrough)
        made = "\x1bPtmux;" + made.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return made
