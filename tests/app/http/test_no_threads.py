"""A plain `def` in a request's way would be run in a thread, which costs more than most of what is done there."""

import inspect
from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from genai_app.main import create_app
from genai_app.settings import Settings


def functions(dependant: Dependant) -> Iterator[object]:
    """The endpoint, and all that it asks for."""
    yield dependant.call
    for each in dependant.dependencies:
        yield from functions(each)


def runs_in_the_loop(function: object) -> bool:
    """Whether it is a coroutine function or an asynchronous generator, or an object that is called as one."""
    called = function if inspect.isroutine(function) else type(function).__call__
    return inspect.iscoroutinefunction(called) or inspect.isasyncgenfunction(called)


def test_no_request_waits_for_a_thread() -> None:
    app = create_app(Settings.from_environment({}))
    routes = [context.route for context in iter_route_contexts(app.routes)]
    dependants = [route.dependant for route in routes if hasattr(route, "dependant")]
    found = {function for dependant in dependants for function in functions(dependant)}
    assert len(found) > 20
    assert {function for function in found if not runs_in_the_loop(function)} == set()
