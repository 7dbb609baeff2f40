"""Lines for people, errors in plain words, and waiting that ends."""

import sys
import time
from typing import Callable, Optional, TypeVar

Result = TypeVar("Result")


class Refused(Exception):
    """Something that a person has to decide or repair; its text says what."""


def say(line: str) -> None:
    print(line, flush=True)


def warn(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def poll(check: Callable[[], Optional[Result]], every: int, limit: int) -> Optional[Result]:
    """Asks until there is an answer, every so many seconds; None once the limit, in seconds, is over."""
    waited = 0
    while True:
        result = check()
        if result is not None or waited >= limit:
            return result
        time.sleep(every)
        waited += every
