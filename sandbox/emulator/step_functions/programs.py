"""A definition becomes a program once, not once per execution.

Parsing a definition of twenty states takes about 70 ms, and a program keeps nothing of the executions that run it
except the keys under which retry counters are stored.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sandbox.emulator.step_functions.interpreter import asl
from sandbox.emulator.wrapping import original, replace

# The interpreter's grammar wants "10.0" where AWS takes "10".
WHOLE_PERCENTAGE = re.compile(r'("ToleratedFailurePercentage"\s*:\s*\d+)(?=\s*[,}])')

parser = asl("parse.asl_parser").AmazonStateLanguageParser
preprocessor = asl("parse.preprocessor").Preprocessor

_parsing = threading.Lock()  # the grammar's tables grow while it parses, and all parsers share them


@lru_cache(maxsize=256)
def program(definition: str) -> Any:
    """The program of a definition (JSON text). Raises whatever the grammar has against it."""
    with _parsing:
        return parser.parse(WHOLE_PERCENTAGE.sub(r"\1.0", definition))[0]


def _with_scopes_of_its_own(_before: Callable[..., None]) -> Callable[[Any], None]:
    """The original keeps its stack of query languages on the class: a refused definition spoils all later ones."""

    def initialise(self: Any) -> None:
        self._query_language_per_scope = []

    return initialise


def install() -> None:
    original(parser, "parse")
    original(preprocessor, "_query_language_per_scope")
    replace(preprocessor, "__init__", _with_scopes_of_its_own)
    # The original makes its key on first use; two executions that meet there count each other's retries.
    component = asl("component.eval_component").EvalComponent
    replace(component, "heap_key", lambda _before: property(lambda self: str(id(self))))
    # Each component on the way out would print itself with everything below it; the history tells the failure.
    for loud in ("_log_failure_event_exception", "_log_exception"):
        replace(component, loud, lambda _before: lambda _self, **_failure: None)
