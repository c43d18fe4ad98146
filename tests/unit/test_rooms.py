"""The rooms: what may know what."""

import subprocess
import sys
from pathlib import Path

from pipeline import __version__

ROOT = Path(__file__).parents[2]


def imported_by(module: str) -> set[str]:
    code = f"import sys, {module}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_no_module_of_the_pipeline_imports_textual() -> None:
    modules = sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "pipeline").rglob("*.py")
        if path.stem != "__main__"
    )
    imported = imported_by(", ".join(modules))
    assert "pipeline.stack" in imported
    assert not {name for name in imported if name.split(".")[0] in ("textual", "cryptostreamx_tui")}


def test_only_the_stack_names_the_profiles() -> None:
    naming = {
        path.relative_to(ROOT).as_posix()
        for folder in ("pipeline", "cryptostreamx_tui")
        for path in (ROOT / folder).rglob("*.py")
        if ".profile" in path.read_text(encoding="utf-8")
    }
    assert naming == {"pipeline/stack.py", "pipeline/settings.py"}


def test_help_needs_neither_textual_nor_the_settings() -> None:
    imported = imported_by("cryptostreamx_tui.cli")
    assert not imported & {"textual", "pydantic", "confluent_kafka", "httpx", "pandas"}


def test_version_answers() -> None:
    command = [sys.executable, "-m", "cryptostreamx_tui", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == f"cryptostreamx-tui {__version__}\n"
