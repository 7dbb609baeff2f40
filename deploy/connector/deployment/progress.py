"""Output, errors, and polling with a limit."""

import sys
import time
from typing import Callable, Optional, TypeVar

Result = TypeVar("Result")


class Refused(Exception):
    """An error that the user has to resolve; its text explains how."""


def say(line: str) -> None:
    print(line, flush=True)


def warn(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def poll(check: Callable[[], Optional[Result]], every: int, limit: int) -> Optional[Result]:
    """Calls `check` every `every` seconds until it returns a result; None after `limit` seconds."""
    waited = 0
    while True:
        result = check()
        if result is not None or waited >= limit:
            return result
        time.sleep(every)
        waited += every
