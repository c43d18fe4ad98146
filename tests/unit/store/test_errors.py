"""ClickHouse's form of errors."""

import pytest

from pipeline.store.server.errors import engine_error, refusal


@pytest.mark.parametrize(
    ("text", "code", "status", "words"),
    [
        (
            "Code: 60. DB::Exception: Table default.x does not exist. (UNKNOWN_TABLE)",
            60,
            404,
            "Code: 60. DB::Exception: Table default.x does not exist. (UNKNOWN_TABLE) (version 1.2)",
        ),
        (
            "Streaming query failed: Code: 62. DB::Exception: Syntax error. (SYNTAX_ERROR) (version 9.9)",
            62,
            400,
            "Code: 62. DB::Exception: Syntax error. (SYNTAX_ERROR) (version 1.2)",
        ),
        (
            "Code: 73. DB::Exception: Code: 73. DB::Exception: Unknown format N. (UNKNOWN_FORMAT) (version 9.9)."
            " (UNKNOWN_FORMAT)",
            73,
            404,
            "Code: 73. DB::Exception: Unknown format N. (UNKNOWN_FORMAT) (version 1.2)",
        ),
        (
            "Code: 241. DB::Exception: Memory limit. (MEMORY_LIMIT_EXCEEDED)",
            241,
            500,
            "Code: 241. DB::Exception: Memory limit. (MEMORY_LIMIT_EXCEEDED) (version 1.2)",
        ),
        ("something else", 1002, 500, "Code: 1002. DB::Exception: something else (UNKNOWN_EXCEPTION)"),
    ],
)
def test_an_engines_error_takes_clickhouses_form(text: str, code: int, status: int, words: str) -> None:
    error = engine_error(RuntimeError(text), "1.2")
    assert (error.code, error.status, str(error)) == (code, status, words)


def test_a_refusal_of_our_own_has_clickhouses_code() -> None:
    error = refusal("SESSION_IS_LOCKED", "Session s is locked by a concurrent client")
    assert (error.code, error.status) == (373, 500)
    assert str(error).endswith("(SESSION_IS_LOCKED)")
