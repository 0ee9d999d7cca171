"""Whether the configurations of a release are live as it left them."""

from __future__ import annotations

from selfright.domain.release import Release
from selfright.release_ports import Configurations


def moved_configuration(release: Release, configurations: Configurations) -> str | None:
    """The first configuration that somebody else changed, or is changing, and to what; None where all are as left."""
    for one in release.configuration:
        state = configurations.state(one.place)
        if not state.is_at(one.place, one.candidate):
            return f"{one.key} to version {state.changing(one.place) or state.live}"
    return None
