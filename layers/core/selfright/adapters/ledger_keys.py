"""Keys of the control plane's one table; docs/data.md lists the access patterns.

| what                   | PK                     | SK            |
|------------------------|------------------------|---------------|
| decision on a signal   | SIGNAL#<signal id>     | DECISION      |
| a problem's state      | PROBLEM#<fingerprint>  | PROBLEM       |
| incident               | INCIDENT#<incident id> | INCIDENT      |
| attempt of an incident | INCIDENT#<incident id> | ATTEMPT#<nn>  |
| line of its timeline   | INCIDENT#<incident id> | ENTRY#<key>   |
| lease of a target      | TARGET#<target>        | LEASE         |
| last change of a target| TARGET#<target>        | LAST_ACTION   |
| a change to a target   | TARGET#<target>        | CHANGE#<incident id>#<nn> |
| an alarm's state change| ALARM#<arn>            | AT#<time>#<state> |
| changes that count     | WORKLOAD#<w>#<env>     | BUDGET        |
| a problem, not over    | WORKLOAD#<w>#<env>     | TROUBLE#<fingerprint> |
| a storm                | WORKLOAD#<w>#<env>     | TROUBLE#STORM |
| release                | RELEASE#<release id>   | RELEASE       |
| line of its log        | RELEASE#<release id>   | LOG#<key>     |
| a restore test         | RESTORE#<test id>      | TEST          |
| a recovery             | RECOVERY#<recovery id> | RECOVERY      |
| newest evidence's hash | WORKLOAD#<w>#<env>     | EVIDENCE      |
| what people put right  | WORKLOAD#<w>#<env>     | MENDING#<time> |
| a run of back_up       | BACKUP#<run id>        | RUN           |
| a recovery point       | POINTS#<w>#<env>       | POINT#<kind>#<source>#<run began at>#<run id> |
| the newest of an item  | POINTS#<w>#<env>       | NEWEST#<kind>#<source> |
| changes not in a snapshot | POINTS#<w>#<env>    | CHANGED       |
| what a restore took    | WORKLOAD#<w>#<env>     | RESTORED#<table>#<time ended>#<test id> |

Index ByWorkload: GSI1PK = WORKLOAD#<workload>#<environment>, GSI1SK = time opened; incidents. Releases
have a partition of their own there: GSI1PK = RELEASES#<workload>#<environment>, GSI1SK = time requested.
So have recoveries: RECOVERIES#<workload>#<environment>, GSI1SK = time begun.
"""

from __future__ import annotations

Key = dict[str, dict[str, str]]
INDEX = "ByWorkload"
ATTEMPT, ENTRY, CHANGE, AT, TROUBLE = "ATTEMPT#", "ENTRY#", "CHANGE#", "AT#", "TROUBLE#"
LOG, MENDING = "LOG#", "MENDING#"
POINT, NEWEST, RESTORED = "POINT#", "NEWEST#", "RESTORED#"
STORM = f"{TROUBLE}STORM"  # no fingerprint: those are hexadecimal


def signal(signal_id: str) -> Key:
    return _key(f"SIGNAL#{signal_id}", "DECISION")


def problem(fingerprint: str) -> Key:
    return _key(f"PROBLEM#{fingerprint}", "PROBLEM")


def incident(incident_id: str) -> Key:
    return _key(f"INCIDENT#{incident_id}", "INCIDENT")


def attempt(incident_id: str, number: int) -> Key:
    return _key(f"INCIDENT#{incident_id}", f"{ATTEMPT}{number:02d}")


def entry(incident_id: str, key: str) -> Key:
    return _key(f"INCIDENT#{incident_id}", f"{ENTRY}{key}")


def lease(target: str) -> Key:
    return _key(f"TARGET#{target}", "LEASE")


def last_action(target: str) -> Key:
    return _key(f"TARGET#{target}", "LAST_ACTION")


def change(target: str, incident_id: str, attempt: int) -> Key:
    return _key(f"TARGET#{target}", f"{CHANGE}{incident_id}#{attempt:02d}")


def alarm_change(alarm_arn: str, at: str, state: str) -> Key:
    return _key(f"ALARM#{alarm_arn}", f"{AT}{at}#{state}")


def budget(name: str, environment: str) -> Key:
    return _key(workload(name, environment), "BUDGET")


def trouble(name: str, environment: str, fingerprint: str) -> Key:
    return _key(workload(name, environment), f"{TROUBLE}{fingerprint}")


def storm(name: str, environment: str) -> Key:
    return _key(workload(name, environment), STORM)


def release(release_id: str) -> Key:
    return _key(f"RELEASE#{release_id}", "RELEASE")


def log_line(release_id: str, key: str) -> Key:
    return _key(f"RELEASE#{release_id}", f"{LOG}{key}")


def mending(name: str, environment: str, at: str) -> Key:
    return _key(workload(name, environment), f"{MENDING}{at}")


def releases(name: str, environment: str) -> str:
    return f"RELEASES#{name}#{environment}"


def restore_test(test: str) -> Key:
    return _key(f"RESTORE#{test}", "TEST")


def recovery(recovery_id: str) -> Key:
    return _key(f"RECOVERY#{recovery_id}", "RECOVERY")


def recoveries(name: str, environment: str) -> str:
    return f"RECOVERIES#{name}#{environment}"


def evidence(name: str, environment: str) -> Key:
    return _key(workload(name, environment), "EVIDENCE")


def backup_run(run: str) -> Key:
    return _key(f"BACKUP#{run}", "RUN")


def points(name: str, environment: str) -> str:
    return f"POINTS#{name}#{environment}"


def point(name: str, environment: str, item: str, run_began_at: str, run: str) -> Key:
    return _key(points(name, environment), f"{POINT}{item}#{run_began_at}#{run}")


def newest_point(name: str, environment: str, item: str) -> Key:
    return _key(points(name, environment), f"{NEWEST}{item}")


def configuration_changes(name: str, environment: str) -> Key:
    return _key(points(name, environment), "CHANGED")


def restored(name: str, environment: str, resource: str, moment: str) -> Key:
    return _key(workload(name, environment), f"{RESTORED}{resource}#{moment}")


def workload(name: str, environment: str) -> str:
    return f"WORKLOAD#{name}#{environment}"


def _key(pk: str, sk: str) -> Key:
    return {"PK": {"S": pk}, "SK": {"S": sk}}
