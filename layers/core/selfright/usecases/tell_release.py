"""Tell people how a release goes, through every channel of its workload at the same time.

What a channel took is on the log, so a repeated room sends only what has not arrived. A room that dies between
sending and noting sends once more: at least once, never silently none.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from selfright.domain.errors import ChannelDownError, NobodyToldError, SelfrightError, SourceDownError
from selfright.domain.manifest import Workload
from selfright.domain.notice import Notice
from selfright.domain.release import LogLine, Milestone
from selfright.domain.release.notice import news, release_notice
from selfright.domain.release.steps import ReleaseTold
from selfright.ports import Channels, Clock, Count, ReleaseLedger


def tell_release(
    release_id: str,
    *,
    workloads: Mapping[str, Workload],
    releases: ReleaseLedger,
    channels: Channels,
    clock: Clock,
    count: Count,
) -> ReleaseTold:
    """Send the newest news to whoever has not got it.

    Counts NoticesSent and NoticesFailed, one for each send, by `channel` type.

    Raises, once everything is on record: ChannelDownError where a channel should be tried again, NobodyToldError
    where none took it and one may yet.
    """
    file = releases.file(release_id)
    line = news(file)
    if line is None:
        return ReleaseTold(told=(), not_told={})
    workload = workloads[file.release.request.workload]
    known = {entry.key for entry in file.log if entry.milestone is Milestone.TOLD}
    told: list[str] = []
    failed: dict[str, str] = {}
    down = False
    due = {
        key: (way.type, notice)
        for key, way in workload.notifications.ways.items()
        if _key(line, key) not in known and (notice := release_notice(way.type, file.release, line))
    }
    with ThreadPoolExecutor(max_workers=max(1, len(due))) as pool:
        fates = dict(zip(due, pool.map(partial(_send, workload, channels), due, due.values()), strict=True))
    for key, error in fates.items():
        count("NoticesFailed" if error else "NoticesSent", channel=due[key][0])
        if error is None:
            told.append(key)
        else:
            failed[key] = str(error)
            down = down or isinstance(error, SourceDownError)
    lines = [
        LogLine(
            key=_key(line, key), at=clock.now(), milestone=Milestone.TOLD, text=f"{key} told of {line.key}"
        )
        for key in told
    ]
    if lines:
        releases.note(release_id, *lines)
    if down:
        reasons = "; ".join(f"{key}: {why}" for key, why in failed.items())
        raise ChannelDownError(reasons) if told else NobodyToldError(reasons)
    return ReleaseTold(told=tuple(told), not_told=failed)


def _send(workload: Workload, channels: Channels, key: str, due: tuple[str, Notice]) -> SelfrightError | None:
    try:
        channels.open(workload, key).send(due[1])
    except SelfrightError as error:
        return error
    return None


def _key(line: LogLine, channel: str) -> str:
    return f"told-{line.key}-{channel}"
