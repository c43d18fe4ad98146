"""ClickHouse's errors: their form, their codes, and the HTTP status of each.

The mapping is ClickHouse's own (``src/Server/HTTP/exceptionCodeToHTTPStatus.cpp``).
"""

import re

CODES = {
    "NOT_IMPLEMENTED": 48,
    "SYNTAX_ERROR": 62,
    "UNKNOWN_TYPE_OF_QUERY": 78,
    "UNKNOWN_COMPRESSION_METHOD": 89,
    "READONLY": 164,
    "QUERY_IS_TOO_LARGE": 229,
    "CANNOT_DECOMPRESS": 271,
    "INTO_OUTFILE_NOT_ALLOWED": 358,
    "SESSION_NOT_FOUND": 372,
    "SESSION_IS_LOCKED": 373,
    "INVALID_SESSION_TIMEOUT": 374,
    "TOO_MANY_ROWS_OR_BYTES": 396,
    "BAD_REQUEST_PARAMETER": 408,
    "AUTHENTICATION_FAILED": 516,
    "UNKNOWN_EXCEPTION": 1002,
}
"""The codes that this server raises itself; the engine's come in its messages."""

_STATUS = {
    "REQUIRED_PASSWORD": 401,
    **dict.fromkeys(
        ("UNKNOWN_USER", "WRONG_PASSWORD", "AUTHENTICATION_FAILED", "SET_NON_GRANTED_ROLE", "ACCESS_DENIED"), 403
    ),
    **dict.fromkeys(
        (
            "BAD_ARGUMENTS", "CANNOT_COMPILE_REGEXP", "CANNOT_PARSE_TEXT", "CANNOT_PARSE_ESCAPE_SEQUENCE",
            "CANNOT_PARSE_QUOTED_STRING", "CANNOT_PARSE_DATE", "CANNOT_PARSE_DATETIME", "CANNOT_PARSE_NUMBER",
            "CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING", "CANNOT_PARSE_IPV4", "CANNOT_PARSE_IPV6",
            "CANNOT_PARSE_INPUT_ASSERTION_FAILED", "CANNOT_PARSE_UUID", "DUPLICATE_COLUMN", "ILLEGAL_COLUMN",
            "UNKNOWN_ELEMENT_IN_AST", "UNKNOWN_TYPE_OF_AST_NODE", "THERE_IS_NO_COLUMN", "TOO_DEEP_AST", "TOO_BIG_AST",
            "UNEXPECTED_AST_STRUCTURE", "SYNTAX_ERROR", "INCORRECT_DATA", "TYPE_MISMATCH",
            "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
        ),
        400,
    ),
    **dict.fromkeys(
        (
            "UNKNOWN_TABLE", "UNKNOWN_FUNCTION", "UNKNOWN_IDENTIFIER", "UNKNOWN_TYPE", "UNKNOWN_STORAGE",
            "UNKNOWN_DATABASE", "UNKNOWN_SETTING", "UNKNOWN_DIRECTION_OF_SORTING", "UNKNOWN_AGGREGATE_FUNCTION",
            "UNKNOWN_FORMAT", "UNKNOWN_DATABASE_ENGINE", "UNKNOWN_TYPE_OF_QUERY", "UNKNOWN_ROLE",
        ),
        404,
    ),
    "TIMEOUT_EXCEEDED": 408,
    "QUERY_IS_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "NOT_IMPLEMENTED": 501,
    **dict.fromkeys(("SOCKET_TIMEOUT", "CANNOT_OPEN_FILE", "CANNOT_SCHEDULE_TASK"), 503),
}  # fmt: skip

_CODE = re.compile(r"Code: (\d+)\. DB::Exception: ", re.ASCII)
_NAME = re.compile(r"\(([A-Z][A-Z0-9_]+)\)")
_VERSION = re.compile(r"\(version [^)]*(\([^)]*\))?\)")


class ServerError(Exception):
    """An error as ClickHouse words it: ``Code: 60. DB::Exception: … (UNKNOWN_TABLE)``."""

    def __init__(self, code: int, name: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.name = name

    @property
    def status(self) -> int:
        """The HTTP status that ClickHouse gives this error."""
        return _STATUS.get(self.name, 500)


def refusal(name: str, message: str) -> ServerError:
    """Make an error of this server's own, with ClickHouse's code for ``name``."""
    return ServerError(CODES[name], name, f"Code: {CODES[name]}. DB::Exception: {message} ({name})")


def engine_error(error: Exception, version: str) -> ServerError:
    """Turn what the engine's binding raised into ClickHouse's form, with the server's version at its end."""
    text = str(error)
    codes = list(_CODE.finditer(text))
    if not codes:
        return refusal("UNKNOWN_EXCEPTION", text.strip() or type(error).__name__)
    # The binding puts words of its own in front, and an error that went through several layers repeats its head.
    body = _VERSION.sub("", text[codes[0].start() :])
    first = _CODE.match(body)
    assert first is not None
    inner = body
    while (nested := _CODE.match(inner, first.end())) is not None and nested.group(1) == first.group(1):
        inner = first.group() + inner[nested.end() :]
    names = _NAME.findall(inner)
    name = names[-1] if names else "UNKNOWN_EXCEPTION"
    mark = f"({name})"
    end = inner.find(mark)
    words = (inner[:end] if end >= 0 else inner).rstrip(" .")
    return ServerError(int(codes[0].group(1)), name, f"{words}. {mark} (version {version})")
