"""Evidence as a page for people: one file, nothing loaded from elsewhere, every text escaped."""

from __future__ import annotations

from html import escape

from selfright.domain.backup.evidence import Evidence

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #999;padding:.3rem .6rem;text-align:left;"
    "vertical-align:top}.PASS{color:#0a5c2b}.FAIL{color:#a4121b}.INCONCLUSIVE{color:#7a4b00}"
    "code{overflow-wrap:anywhere}"
)


def evidence_page(found: Evidence) -> str:
    """An HTML document."""
    facts = {
        "table": found.table,
        "workload": f"{found.workload} {found.environment}",
        "restored as of": found.recovery_point.isoformat()
        if found.recovery_point
        else "nothing was restored",
        "test": f"{found.test}, {found.began_at.isoformat()} to {found.ended_at.isoformat()}",
        "RPO": _seconds(found.rpo_seconds),
        "RTO": _seconds(found.rto_seconds),
        **(
            {
                "RPO so far": str(found.history.rpo),
                "RTO so far": str(found.history.rto),
                "tests so far": f"{found.history.passed} of the last {found.history.tests} passed",
            }
            if found.history
            else {}
        ),
        "planted fault": found.planted or "none",
        "failure": found.failure or "none",
        "hash of this": found.hash,
        "hash of the one before": found.previous,
    }
    checks = "".join(
        f"<tr><td>{escape(check.name)}</td>{_verdict(check.verdict)}<td>{escape(check.reason)}</td></tr>"
        for check in found.checks
    )
    differences = found.comparison.differences if found.comparison else ()
    listed = "".join(f"<li>{d.kind}: <code>{escape(d.key)}</code></li>" for d in differences)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(found.table)}: {found.verdict}</title><style>{_STYLE}</style></head><body>"
        f'<h1>Restore test: <span class="{found.verdict}">{found.verdict}</span></h1><table>'
        + "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in facts.items())
        + "</table><h2>Checks</h2><table><tr><th>check</th><th>verdict</th><th>why</th></tr>"
        + checks
        + "</table>"
        + (f"<h2>Differences</h2><ul>{listed}</ul>" if listed else "")
        + "</body></html>\n"
    )


def _verdict(verdict: str) -> str:
    return f'<td class="{verdict}">{verdict}</td>'


def _seconds(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.0f} s"
