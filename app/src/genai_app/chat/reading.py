"""Reads what a client sent: a frame, or the problem that it is; pure but for the problem's id."""

import uuid

from pydantic import ValidationError

from genai_app.chat.frames import ClientFrame, Frame, parse
from genai_app.http.problems import document_of_status, error_list


def read_frame(text: str | None) -> ClientFrame | Frame:
    """The frame, or a problem: 400 for what is no JSON text (None: a binary frame), 422 for no frame of ours."""
    try:
        return parse(text or "")
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
    request_id = str(uuid.uuid4())
    if any(problem["type"] == "json_invalid" for problem in found):
        return document_of_status(400, request_id)
    return document_of_status(422, request_id, error_list(found))
