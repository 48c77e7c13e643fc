"""Alerts and dashboards of an instance: the one source for the operator and whoever installs without it."""

from functools import cache
from importlib.resources import files


@cache
def text(name: str) -> str:
    """One of the files beside this one, as `alerts.yaml` or `dashboards/overview.json`. Raises FileNotFoundError."""
    return files("genai_contract.monitoring").joinpath(*name.split("/")).read_text(encoding="utf-8")
