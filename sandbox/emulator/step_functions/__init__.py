"""Step Functions: MiniStack keeps machines and executions, moto's States-language interpreter runs them.

MiniStack's own interpreter lacks JSONata in Parallel, fail-fast, heartbeats, execution timeouts, back-off limits,
role enforcement and AWS's error names; moto 5.2.5 carries a port of LocalStack's interpreter, which has them.
Both live in this one process: StartExecution comes in through MiniStack, `runs` hands the definition to the
interpreter, and every service call of a state goes back to this same server over HTTP, signed as the machine's role.

    StartExecution → starting → runs ─┬─ programs: definition → program, parsed once
                                      ├─ waiting, moments, jsonata, variables: what states read and wait for
                                      ├─ choices, maps, failures: where they lead
                                      ├─ clients, integrations, nested, tokens: how they reach services
                                      └─ history, logs, metrics, status_events: what is left behind
    StopExecution → stopping · PublishStateMachineVersion → publishing
    DescribeExecution → describing · CreateStateMachine → validation, templates

Not here: redrive, activities, test-case mocks, JSONL and MANIFEST item readers, ItemBatcher, the files of a
ResultWriter (its manifest lists none); TestState still runs on MiniStack's interpreter.
"""

from __future__ import annotations

from sandbox.emulator.clock import SandboxClock
from sandbox.emulator.step_functions import (
    choices,
    clients,
    describing,
    failures,
    history,
    integrations,
    jsonata,
    maps,
    metrics,
    moments,
    nested,
    programs,
    publishing,
    runs,
    starting,
    status_events,
    stopping,
    templates,
    tokens,
    validation,
    variables,
    waiting,
)


def install(clock: SandboxClock) -> None:
    for behaviour in (
        programs,
        clients,
        integrations,
        nested,
        tokens,
        jsonata,
        variables,
        failures,
        choices,
        maps,
        metrics,
        publishing,
        starting,
        stopping,
        history,
        validation,
        templates,
    ):
        behaviour.install()
    for timed in (moments, waiting, status_events, runs, describing):
        timed.install(clock)
