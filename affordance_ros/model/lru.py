# Copyright 2026 The affordance_ros Authors
# SPDX-License-Identifier: Apache-2.0

"""What was made lately, kept for when it is asked for again."""

from collections import OrderedDict
from collections.abc import Callable
from collections.abc import Hashable
from typing import Generic
from typing import TypeVar

KeyT = TypeVar('KeyT', bound=Hashable)
ValueT = TypeVar('ValueT')


class LruCache(Generic[KeyT, ValueT]):
    """The values that were used last, by their keys.

    Unlike functools.lru_cache on a bound method, it holds no reference to its owner, so that a
    model is freed with its last user.

    Args:
        size: How many values are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[KeyT, ValueT] = OrderedDict()

    def get(self, key: KeyT, make: Callable[[], ValueT]) -> ValueT:
        """Return the value of a key, made if it is not kept; the oldest gives way to a new one."""
        if key not in self._values:
            self._values[key] = make()
            if len(self._values) > self._size:
                self._values.popitem(last=False)
        self._values.move_to_end(key)
        return self._values[key]

    def clear(self) -> None:
        """Forget all values."""
        self._values.clear()
