"""Remembers what pure functions gave last: looks at an instance follow each other closely, and find it the same."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from genai_operator.manifests import Ref

Result = TypeVar("Result")

INSTANCES: Final = 32
"""So many are remembered: those that are busy now. Memory does not grow with the cluster."""


class Memo(Generic[Result]):
    """The last result for each of the instances that were looked at last."""

    def __init__(self, size: int = INSTANCES) -> None:
        self._size = size
        self._kept: OrderedDict[Ref, tuple[object, Result]] = OrderedDict()

    def of(self, instance: Ref, arguments: object, make: Callable[[], Result]) -> Result:
        """What `make` gives; not called again while `arguments`, on which alone its result depends, stay equal."""
        known = self._kept.get(instance)
        if known is None or known[0] != arguments:
            known = (arguments, make())
            self._kept[instance] = known
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        self._kept.move_to_end(instance)
        return known[1]
