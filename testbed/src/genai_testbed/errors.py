"""What can go wrong with a test bed, by what the caller does about it.

TestbedError                  printed without a traceback; says what to do next
├── MissingPrerequisite       the machine lacks something: install it, or take another level or cluster
├── BuildFailed               a program did not compile
└── NotReady                  a process or the node did not become ready: the text holds the end of its log
"""


class TestbedError(Exception):
    """Something that a person can mend; the text says how."""

    __test__ = False  # pytest would take the name for a test's


class MissingPrerequisite(TestbedError):
    """The machine lacks something that this level needs."""


class BuildFailed(TestbedError):
    """A program did not compile; the text holds the compiler's last lines."""


class NotReady(TestbedError):
    """A process did not start or did not become ready in time."""
