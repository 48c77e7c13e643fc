"""References to Secrets that a person makes: a name, and a key that has a usual name."""

from pydantic import Field

from genai_operator.api.fields import ApiModel, ObjectName, SecretKey

_KEY = "Key within the Secret."


class SecretRef(ApiModel):
    """A value in a Secret of the same namespace; the kinds of reference differ in the usual key."""

    name: ObjectName = Field(description="Name of a Secret in the same namespace. Required: the operator makes none.")
    key: SecretKey = Field(description=_KEY)


class ApiKeySecretRef(SecretRef):
    """Where the key of a service is kept."""

    key: SecretKey = Field("api-key", description=_KEY)


class JwtSecretRef(SecretRef):
    """Where the key that signs tokens is kept."""

    name: ObjectName = Field(description="Name of a Secret in the same namespace. Required: it replaces the generated.")
    key: SecretKey = Field("jwt-secret-key", description=_KEY)


class AuthoritySecretRef(SecretRef):
    """Where the certificates of authorities are kept."""

    key: SecretKey = Field("ca.crt", description=_KEY)


class PasswordSecretRef(SecretRef):
    """Where a password is kept."""

    key: SecretKey = Field("password", description=_KEY)


class CredentialsSecretRef(ApiModel):
    """Where a user and its password are kept."""

    name: ObjectName = Field(description="Name of a Secret in the same namespace. Required: the operator makes none.")
    username_key: SecretKey = Field("username", description="Key of the user's name.")
    password_key: SecretKey = Field("password", description="Key of the password.")


class WebhookSecretRef(SecretRef):
    """Where the address of a webhook is kept; whoever knows it may often post there, so it is secret."""

    key: SecretKey = Field("url", description=_KEY)


class SigningSecretRef(SecretRef):
    """Where the key that signs the calls of a webhook is kept."""

    key: SecretKey = Field("signing-key", description=_KEY)


class IntegrationSecretRef(SecretRef):
    """Where the integration key of PagerDuty is kept."""

    key: SecretKey = Field("integration-key", description=_KEY)
