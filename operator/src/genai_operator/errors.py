"""What can go wrong between the operator and the cluster, by what the caller does about it.

OperatorError
├── InvalidResource   a file is not a GenAIAuto: the person mends it, told how
├── Refused           400, 403, 422: the API server says no; shown in a condition, tried again later
│   ├── Conflict      409: somebody else's object or field
│   └── NotFound      404: the object is not there
│       └── KindAbsent   404 in plain text: the kind is not served
├── NotLeading        another operator may work now: write nothing
├── Terminating       403 because the namespace is being deleted: there is nothing left to do
├── Expired           410: a watch must begin again with a list
└── Unavailable       429, 5xx, no connection: try again, not before `retry_after` seconds
"""


class OperatorError(Exception):
    """Base of everything that the operator raises on purpose."""


class InvalidResource(OperatorError):
    """A manifest cannot be read as a GenAIAuto; the message lists every problem with its field."""


class Refused(OperatorError):
    """The API server understood the request and says no."""


class Conflict(Refused):
    """The object exists already, or another field manager owns the field."""


class NotFound(Refused):
    """The object does not exist."""


class KindAbsent(NotFound):
    """The API server does not serve this kind: its CRD is not installed."""


class NotLeading(OperatorError):
    """This process does not hold the Lease: it must not write."""


class Terminating(OperatorError):
    """The namespace is being deleted: nothing can be created in it any more."""


class Expired(OperatorError):
    """The resource version is too old to watch from."""


class Unavailable(OperatorError):
    """The API server cannot answer now."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after
