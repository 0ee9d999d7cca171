"""The measured child of intake.vs_c7n: Cloud Custodian's own Lambda entry point on a warm process.

custodian_events.py SPEC        SPEC is JSON: policy (config.json as Custodian ships it), event, and result, the file
                                to write the CPU seconds per event to

Runs in a folder of its own, where Custodian finds config.json, with the interpreter that has c7n.
"""

from __future__ import annotations

import copy
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

WARM_UPS, EVENTS = 3, 40


def main(spec: dict[str, Any]) -> None:
    Path("config.json").write_text(json.dumps(spec["policy"]))
    from c7n.handler import dispatch_event  # type: ignore[import-not-found,unused-ignore]

    logging.root.setLevel(logging.WARNING)  # ours writes one line an event; Custodian's own words are spared

    def dispatch(times: int) -> None:
        for _ in range(times):
            if dispatch_event(copy.deepcopy(spec["event"]), None) is not True:  # it writes into the event
                raise SystemExit("Custodian did not take the event")

    dispatch(WARM_UPS)
    began = time.process_time()
    dispatch(EVENTS)
    Path(spec["result"]).write_text(json.dumps((time.process_time() - began) / EVENTS))


main(json.loads(sys.argv[1]))
