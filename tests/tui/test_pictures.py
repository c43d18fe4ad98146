"""The README's pictures: the same at every taking, loading nothing, and all of them there."""

import re
from pathlib import Path

from tests.tui.pictures import PICTURES, plain_fonts, take

ROOT = Path(__file__).parents[2]


def pictures_in(text: str) -> set[str]:
    return set(re.findall(r"docs/pictures/([\w-]+\.\w+)", text))


async def test_a_picture_is_the_same_at_every_taking_and_loads_nothing() -> None:
    start = next(picture for picture in PICTURES if picture.name == "start")
    svg = await take(start)
    assert svg == await take(start)
    assert "kafka-2" in svg
    assert "@font-face" not in svg
    assert set(re.findall(r"\w+://[\w./]+", svg)) == {"http://www.w3.org/2000/svg"}


def test_a_font_of_a_network_is_left_out() -> None:
    rule = '@font-face {\n src: url("https://x/a.woff2");\n }'
    svg = f"<style>\n    {rule}\n .m {{\n font-family: Fira Code, monospace;\n }}</style>"
    left = plain_fonts(svg)
    assert "https" not in left
    assert "font-family: ui-monospace" in left
    assert ".m {" in left


def test_every_picture_that_the_readme_shows_is_there_and_no_other_is_kept() -> None:
    shown = pictures_in((ROOT / "README.md").read_text(encoding="utf-8"))
    kept = {path.name for path in (ROOT / "docs" / "pictures").glob("*")}
    assert shown == kept
    assert {f"{picture.name}.svg" for picture in PICTURES} <= kept


def test_no_picture_that_is_kept_loads_anything() -> None:
    for path in (ROOT / "docs" / "pictures").glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"\w+://[\w./]+", text)) <= {"http://www.w3.org/2000/svg"}, path
        assert "<script" not in text
