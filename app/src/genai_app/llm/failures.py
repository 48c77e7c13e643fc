"""How a model can fail, by what may be done next; no library's words get into their texts."""

from typing import Literal

from genai_app.errors import ModelDown
from genai_app.llm.chat_model import Completion

Kind = Literal["timeout", "rate_limit", "api_error", "validation_error"]
"""The metric's error_type. `validation_error`: the request or the reply is not what the other side can read."""


class ModelFailed(ModelDown):
    """No reply from one model.

    `final`: asking the same model again is useless. `wait`: seconds that its server asks to be left alone, if it does.
    """

    def __init__(self, kind: Kind, detail: str, *, final: bool = True, wait: float | None = None) -> None:
        super().__init__(detail)
        self.kind: Kind = kind
        self.final = final
        self.wait = wait


class ModelCut(ModelFailed):
    """A reply that broke after its first words were shown: nobody else can go on with it.

    `partial` is what was shown; its tokens and cost are estimated from the lengths of prompt and text.
    """

    def __init__(self, failure: ModelFailed, partial: Completion) -> None:
        super().__init__(failure.kind, str(failure), wait=failure.wait)
        self.partial = partial
