"""Guards between an alarm and a change. Pure: facts in, verdicts out; a fact that could not be read means stop.

Gates are asked in the order of `Gate`, all of them every time, so that the record shows every verdict. They are asked
when an incident is taken up and again on fresh state immediately before each change.
"""

from selfright.domain.gates.answers import Gate, GateResult, Reason, Verdict
from selfright.domain.gates.asking import GATES, ask_gates, overall
from selfright.domain.gates.facts import COMPOSITE, MANY_SERIES, AlarmNow, GateFacts, Radius, Spent, Unknown
from selfright.domain.gates.history import Change, Fate, causal_depth, failures_in_a_row, flapping
from selfright.domain.gates.sanity import absurdity
from selfright.domain.gates.storm import Storm, Troubles

__all__ = [
    "COMPOSITE",
    "GATES",
    "MANY_SERIES",
    "AlarmNow",
    "Change",
    "Fate",
    "Gate",
    "GateFacts",
    "GateResult",
    "Radius",
    "Reason",
    "Spent",
    "Storm",
    "Troubles",
    "Unknown",
    "Verdict",
    "absurdity",
    "ask_gates",
    "causal_depth",
    "failures_in_a_row",
    "flapping",
    "overall",
]
