"""Every action of the table is pressed in some test. Static: it reads the tests' source and runs none of them.

A test says what it presses in a line ``pressed("<place>", "<action>", …)``; a note outside a test counts for nothing.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from cryptostreamx_tui.actions import ACTIONS

HERE = Path(__file__).parent
TABLE = {(action.place, action.base) for action in ACTIONS}


def cases(source: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return the test functions of a module, also those of classes."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def places(test: ast.FunctionDef | ast.AsyncFunctionDef, node: ast.expr) -> tuple[str, ...]:
    """Return the place a note names: a literal, or a parameter's literal values."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (node.value,)
    assert isinstance(node, ast.Name), f"{test.name}: pressed() wants literals or a parameter"
    for decorator in test.decorator_list:
        if isinstance(decorator, ast.Call) and decorator.args and ast.literal_eval(decorator.args[0]) == node.id:
            values = ast.literal_eval(decorator.args[1])
            return tuple(values)
    raise AssertionError(f"{test.name}: {node.id} is no parameter with literal values")


def noted(source: str) -> set[tuple[str, str]]:
    """Return what the tests of a module say they press."""
    found: set[tuple[str, str]] = set()
    for test in cases(source):
        for node in ast.walk(test):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "pressed":
                names = [ast.literal_eval(argument) for argument in node.args[1:]]
                found |= {(place, name) for place in places(test, node.args[0]) for name in names}
    return found


def everything() -> set[tuple[str, str]]:
    return {pair for file in HERE.glob("test_*.py") for pair in noted(file.read_text(encoding="utf-8"))}


def test_every_action_of_the_table_is_pressed_in_some_test() -> None:
    assert sorted(TABLE - everything()) == []


def test_the_tests_press_nothing_that_is_not_in_the_table() -> None:
    assert sorted(everything() - TABLE) == []


def presses(source: str) -> set[str]:
    """Return the functions of a module that press a key, themselves or by another function of it."""
    functions = {
        node.name: ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    found = {name for name, text in functions.items() if re.search(r"\bpress\(", text)}
    return found | {name for name, text in functions.items() if any(f"{helper}(" in text for helper in found)}


def test_a_test_that_says_so_presses_something() -> None:
    """A note without a key is a lie."""
    silent = []
    for file in HERE.glob("test_*.py"):
        source = file.read_text(encoding="utf-8")
        pressing = presses(source)
        silent += [
            f"{file.name}: {test.name}"
            for test in cases(source)
            if file != Path(__file__) and "pressed(" in ast.unparse(test) and test.name not in pressing
        ]
    assert silent == []


def test_notes_are_read_as_they_are_meant() -> None:
    source = """
def pressed(*_): ...
pressed("main", "outside")
@pytest.mark.parametrize("place", ["start", "main"])
async def test_one(place):
    pressed(place, "retry")
    pressed("rows", "cursor", "open")
def helper():
    pressed("main", "not a test")
"""
    assert noted(source) == {("start", "retry"), ("main", "retry"), ("rows", "cursor"), ("rows", "open")}
