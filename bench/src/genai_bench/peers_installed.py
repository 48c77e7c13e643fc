"""The virtual environment of peers that we do not depend on ourselves; installed when a bench first asks for it."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from genai_bench.errors import BenchError
from genai_bench.world import STATE, Say

REQUIREMENTS: Final = Path(__file__).parent / "peers" / "requirements.txt"


def python(say: Say) -> str:
    """Its interpreter. Raises BenchError when it cannot be installed."""
    folder = STATE / "peers"
    interpreter, installed = folder / "bin" / "python", folder / "installed.txt"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if installed.exists() and installed.read_text(encoding="utf-8") == wanted:
        return str(interpreter)
    say(f"Installing the peers into {folder}, once …")
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(interpreter), "-m", "pip", "install", "--quiet", "--requirement", str(REQUIREMENTS)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchError(f"The peers cannot be installed:\n{done.stderr.strip()[-2000:]}")
    installed.write_text(wanted, encoding="utf-8")
    return str(interpreter)
