"""Recorded events and the policies that judge them: what `explain` and `replay` share. No AWS."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from selfright.actions import ACTIONS
from selfright.adapters.manifest_files import load_workloads
from selfright.adapters.runbook_files import load_runbooks
from selfright.checks import CHECKS
from selfright.domain.errors import BadInputError
from selfright.domain.manifest import Environment, Workload
from selfright.domain.runbook import Runbook
from selfright.edge.signals import signal as signal_of
from selfright.usecases.explain_signal import Explanation, explain_signal

WORDS = 60  # characters of a wrong document that an error shows


class Policies:
    """Runbooks and manifests as they stand on disk.

    Without `environment` those of all environments are asked: an alarm's name says which one it belongs to.
    """

    def __init__(self, runbooks: Path, workloads: Path, environment: str | None = None) -> None:
        wanted = [Environment.parse(environment)] if environment else list(Environment)
        self._runbooks: Sequence[Runbook] = load_runbooks(runbooks)
        self._workloads: Sequence[Workload] = [w for e in wanted for w in load_workloads(workloads, e)]

    def explain(self, event: Any) -> Explanation:
        """What would come of `event`.

        Raises BadInputError naming the field and the rule where it is refused.
        """
        return explain_signal(
            signal_of(event),
            workloads=self._workloads,
            runbooks=self._runbooks,
            checks=CHECKS,
            actions=ACTIONS,
        )


def read_event(path: Path) -> Any:
    """The JSON document in a file.

    Raises BadInputError naming the file.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadInputError(str(path), f"must be a readable file ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise BadInputError(str(path), f"must be one JSON document: {str(error)[:WORDS]}") from None
