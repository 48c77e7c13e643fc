"""How the API's process starts and ends; `chat/test_ends.py` shows what clients see of it."""

import gc
import socket

import pytest

from genai_app.serving import ApiServer, api_configuration
from genai_contract.endpoints import DRAIN_SECONDS


async def nothing(scope: object, receive: object, send: object) -> None:
    """An application without a lifespan."""


async def no_sockets(seconds: float) -> None:
    """Nothing runs on WebSockets."""


@pytest.mark.parametrize("lasting", [True, False])
async def test_only_a_process_of_its_own_keeps_what_is_there_at_the_start_out_of_the_search_for_garbage(
    lasting: bool,
) -> None:
    configuration = api_configuration(nothing)
    configuration.lifespan = "off"
    configuration.load()
    server = ApiServer(configuration, no_sockets, lasting=lasting)
    server.lifespan = configuration.lifespan_class(configuration)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        try:
            await server.startup([listening])
            assert (gc.get_freeze_count() > 0) is lasting
        finally:
            gc.unfreeze()
            await server.shutdown([listening])


def test_requests_get_the_time_to_end_that_the_operator_grants() -> None:
    assert api_configuration(nothing).timeout_graceful_shutdown == DRAIN_SECONDS
    assert api_configuration(nothing, 7).timeout_graceful_shutdown == 7
