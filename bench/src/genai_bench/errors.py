"""What can go wrong with a bench; each text says what to do next."""


class BenchError(Exception):
    """The machine lacks something, or what was measured did not do its work."""
