"""The part `llm` of the resource: who answers, what it may cost, and who may look on."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from genai_contract.config import AppConfig, OnLimit
from genai_operator.api.fields import ApiModel, Text, Url, immutable
from genai_operator.api.references import ApiKeySecretRef

_APP: Final = AppConfig()
_AMOUNT: Final = r"[0-9]{1,7}(\.[0-9]{1,6})?"

Dollars = Annotated[str, StringConstraints(pattern=f"^{_AMOUNT}$", max_length=16)]
DollarsOrNone = Annotated[str, StringConstraints(pattern=f"^$|^{_AMOUNT}$", max_length=16)]
Confidence = Annotated[str, StringConstraints(pattern=r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$", max_length=8)]
ModelName = Annotated[Text, StringConstraints(min_length=1, pattern=r"^[^,\s]+$")]
"""A list of them is joined with commas."""


class Provider(StrEnum):
    """Who answers."""

    OPENROUTER = "OpenRouter"
    OPENAI_COMPATIBLE = "OpenAICompatible"
    OFFLINE = "Offline"


class Budget(ApiModel):
    """What models may cost, in US dollars as text, checked before each call."""

    hourly_warn_usd: Dollars = Field(
        str(_APP.llm_budget_hourly_warn_usd),
        alias="hourlyWarnUSD",
        description="Dollars in one hour from which on a warning is given.",
    )
    hourly_limit_usd: Dollars = Field(
        str(_APP.llm_budget_hourly_limit_usd),
        alias="hourlyLimitUSD",
        description="Dollars that models may cost in one hour.",
    )
    monthly_limit_usd: DollarsOrNone = Field(
        "",
        alias="monthlyLimitUSD",
        description="Dollars that models may cost in one calendar month; empty: no limit.",
    )
    user_hourly_limit_usd: DollarsOrNone = Field(
        "",
        alias="userHourlyLimitUSD",
        description="Dollars that one user's questions may cost in one hour; empty: no limit.",
    )
    on_limit: OnLimit = Field(
        _APP.llm_budget_on_limit,
        description="What becomes of a question when a limit is reached: AlertOnly answers it all the same, "
        "FallbackModel asks models that cost nothing, CacheOnly answers without a model, Block refuses it.",
    )


class Langsmith(ApiModel):
    """Traces of every turn at LangSmith, masked as privacy.maskPII says."""

    enabled: bool = Field(False, description="Send traces.")
    endpoint: Url = Field(_APP.langchain_endpoint, description="LangSmith's API.")
    project: Annotated[Text, StringConstraints(min_length=1)] = Field(
        _APP.langchain_project, description="Project that the traces go to."
    )
    api_key_secret_ref: ApiKeySecretRef | None = Field(
        None, description="Key of LangSmith. Absent: none; enabled needs one."
    )


class Tracing(ApiModel):
    """Who gets traces of the turns; nobody by default."""

    langsmith: Langsmith = Field(default_factory=Langsmith, description="Traces at LangSmith.")


class LLM(ApiModel):
    """The language model and the embedding model."""

    provider: Provider = Field(
        Provider.OPENROUTER,
        description="Who answers. Offline quotes the knowledge base and needs no network; not for Production.",
    )
    base_url: Url = Field(
        "", alias="baseURL", description="Base URL of the model server; empty: OpenRouter's. OpenAICompatible needs it."
    )
    api_key_secret_ref: ApiKeySecretRef | None = Field(
        None, description="Key of the model server. Absent: none; OpenRouter needs one."
    )
    model: ModelName = Field(_APP.llm_model, description="Model that answers.")
    fallback_models: Annotated[tuple[ModelName, ...], Field(max_length=5)] = Field(
        (),
        description="Models of the same server that are tried in this order when the first one fails.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    http_referer: Url = Field(
        "", description="Address of this installation, which the model server is told; empty: none."
    )
    timeout_seconds: Annotated[int, Field(ge=1, le=600)] = Field(
        int(_APP.llm_timeout_seconds), description="Longest time for one model call in seconds, retries included."
    )
    embedding_model: ModelName = Field(
        _APP.embedding_model, description="Model that turns text into vectors, where the provider has one."
    )
    embedding_dimensions: Annotated[int, Field(ge=1, le=2000)] = Field(
        _APP.embedding_dimension,
        description="Length of the stored vectors. Immutable.",
        json_schema_extra=immutable(
            "llm.embeddingDimensions",
            "stored vectors have this length; create a new resource with the wanted value",
        ),
    )
    confidence_threshold: Confidence = Field(
        str(_APP.confidence_threshold),
        description="A person takes over when the confidence of an answer, from 0 to 1, is below this; as text.",
    )
    budget: Budget = Field(default_factory=Budget, description="What models may cost.")
    tracing: Tracing = Field(default_factory=Tracing, description="Who gets traces of the turns.")
