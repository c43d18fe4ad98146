"""The one place where text from outside is made fit for a screen, a log or an error message."""


def clean(text: str, limit: int = 500, *, multiline: bool = False) -> str:
    r"""Return ``text`` with every character that is not printable shown as ``\xNN``, ``\uNNNN`` or ``\UNNNNNNNN``.

    That covers C0 and C1 controls (so ESC and OSC sequences), bidirectional and zero-width controls, lone surrogates
    and unassigned code points: nothing that a terminal would act on is left, and what was there stays visible. A tab
    becomes a space. ``limit`` is in characters; what is cut is said. With ``multiline`` newlines stay (for stack
    traces and bodies). The result is plain text: never hand it to a markup parser.
    """
    cut = len(text) - limit
    if cut > 0:
        text = text[:limit]
    if not text.isprintable():
        text = "".join(char if char.isprintable() else _shown(char, multiline) for char in text)
    return f"{text}… ({cut} more)" if cut > 0 else text


def _shown(char: str, multiline: bool) -> str:
    if char == "\n" and multiline:
        return char
    if char == "\t":
        return " "
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def clean_bytes(data: bytes, limit: int = 500, *, multiline: bool = False) -> str:
    r"""``clean`` for bytes that are supposed to be UTF-8; what is not shows as ``\xNN``."""
    return clean(data.decode("utf-8", "backslashreplace"), limit, multiline=multiline)
