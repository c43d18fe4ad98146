"""The one place where text from outside is made fit for a screen, a log or an error message."""

import re

# C0 and C1 controls, DEL, line and paragraph separators, bidirectional controls and marks, zero-width characters,
# lone surrogates, tag characters. Tab and newline are handled before.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def clean(text: str, limit: int = 500, *, multiline: bool = False) -> str:
    """Return ``text`` with every control and bidirectional character shown as ``\\xNN`` / ``\\uNNNN``.

    Nothing that a terminal would act on is left; what was there stays visible. ``limit`` is in characters of the
    result's source text; what is cut is said. With ``multiline`` newlines stay (for stack traces and bodies).
    The result is plain text: never hand it to a markup parser.
    """
    cut = len(text) - limit
    if cut > 0:
        text = text[:limit]

    def shown(match: re.Match[str]) -> str:
        char = match.group()
        if char == "\n" and multiline:
            return char
        if char == "\t":
            return " "
        code = ord(char)
        if code < 0x100:
            return f"\\x{code:02x}"
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

    text = _UNSAFE.sub(shown, text)
    return f"{text}… ({cut} more)" if cut > 0 else text


def clean_bytes(data: bytes, limit: int = 500, *, multiline: bool = False) -> str:
    """``clean`` for bytes that are supposed to be UTF-8; what is not shows as ``\\xNN``."""
    more = max(0, len(data) - limit * 4)
    text = data[: limit * 4].decode("utf-8", "backslashreplace")
    shown = clean(text, limit, multiline=multiline)
    return shown if not more or shown.endswith("more)") else f"{shown}… ({more} more bytes)"
