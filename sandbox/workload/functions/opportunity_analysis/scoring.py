"""The scorecard: twelve criteria, each with points from 0 to 100 and the sentence that explains them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from .data_retrieval import Award
from .opportunity import Opportunity

_NEUTRAL = 50  # points where nothing is known


@dataclass(frozen=True)
class Criterion:
    """`weight`: percent of the total."""

    name: str
    weight: int
    points: int
    rationale: str

    def document(self) -> dict[str, Any]:
        return asdict(self)


Rule = Callable[[Opportunity, list[Award]], tuple[int, str]]


def scorecard(opportunity: Opportunity, awards: list[Award]) -> list[Criterion]:
    """Judge by every criterion, in the order of RULES."""
    return [Criterion(name, weight, *rule(opportunity, awards)) for name, weight, rule in RULES]


def total(criteria: list[Criterion]) -> int:
    """Weighted points, 0 to 100."""
    return sum(criterion.weight * criterion.points for criterion in criteria) // 100


def _contract_size(opportunity: Opportunity, _awards: list[Award]) -> tuple[int, str]:
    ceiling = opportunity.ceiling
    if ceiling is None:
        return _NEUTRAL, (
            "No ceiling is published, so the size of the contract cannot be set against our delivery "
            "capacity; ask the contracting officer before the bid decision, because bonding and staffing "
            "plans both depend on this figure."
        )
    points = 90 if ceiling <= 5_000_000 else 60 if ceiling <= 25_000_000 else 30  # noqa: PLR2004 - dollars
    return points, (
        f"The ceiling of ${ceiling:,} is set against what the delivery teams carried in the last three "
        "fiscal years; up to $5,000,000 needs no partner, up to $25,000,000 needs one partner, and more "
        "than that needs a joint venture."
    )


def _agency_history(opportunity: Opportunity, awards: list[Award]) -> tuple[int, str]:
    known = sum(award.get("agency") == opportunity.agency for award in awards)
    return min(100, 40 + 10 * known), (
        f"{known} of {len(awards)} comparable past awards came from {opportunity.agency}. An agency that "
        "buys this work often has settled requirements, a known evaluation board and published debriefings "
        "that a proposal can build on."
    )


def _competition(opportunity: Opportunity, awards: list[Award]) -> tuple[int, str]:
    recipients = {award.get("recipient", "unknown") for award in awards}
    return max(0, 100 - 8 * len(recipients)), (
        f"{len(recipients)} different recipients won comparable awards under industry code "
        f"{opportunity.naics}. Few recipients mean strong incumbents and many mean price pressure; both "
        "lower the chance that a new bidder wins."
    )


def _award_size(opportunity: Opportunity, awards: list[Award]) -> tuple[int, str]:
    amounts = sorted(int(float(award["amount"])) for award in awards if award.get("amount"))
    if not amounts:
        return _NEUTRAL, (
            f"The retrieved awards under industry code {opportunity.naics} carry no amounts, so the usual "
            "size of this work is unknown; take the published price lists of the agency as the base of the "
            "cost estimate instead."
        )
    median = amounts[len(amounts) // 2]
    return (80 if median <= 5_000_000 else 45), (  # noqa: PLR2004 - dollars
        f"The median of {len(amounts)} comparable awards under industry code {opportunity.naics} is "
        f"${median:,}; the cost estimate should start from this figure and explain every part by which it "
        "goes beyond the quartile above it."
    )


def _by_words(subject: str, words: tuple[str, ...], advice: str) -> Rule:
    """A rule that looks for words in the description: each one found lowers the points by 20."""

    def rule(opportunity: Opportunity, _awards: list[Award]) -> tuple[int, str]:
        text = opportunity.description.lower()
        found = [word for word in words if word in text]
        return max(0, 90 - 20 * len(found)), (
            f"{subject}: the description names {', '.join(found) if found else 'none'} of the {len(words)} "
            f"terms that we look for. {advice}"
        )

    return rule


RULES: tuple[tuple[str, int, Rule], ...] = (
    ("contract-size", 15, _contract_size),
    ("agency-history", 10, _agency_history),
    ("competition", 10, _competition),
    ("award-size", 10, _award_size),
    (
        "staffing",
        10,
        _by_words(
            "Staffing",
            ("clearance", "on-site", "key personnel", "24/7"),
            "Cleared or named people must be on the payroll at the due date, so confirm names and letters "
            "of commitment with the delivery lead before the bid decision and plan at least six weeks "
            "where they have to be hired.",
        ),
    ),
    (
        "schedule",
        10,
        _by_words(
            "Schedule",
            ("urgent", "immediately", "30 days", "bridge"),
            "A short transition favours the incumbent, so the proposal needs a day-by-day transition plan "
            "with a named manager, and the price has to carry the cost of people who work in parallel "
            "during the hand-over.",
        ),
    ),
    (
        "compliance",
        10,
        _by_words(
            "Compliance",
            ("fedramp", "cmmc", "section 508", "itar"),
            "Each regime named needs evidence at submission and not at award; where a certificate is "
            "missing, name the partner that holds it and attach the teaming agreement, or the proposal is "
            "rejected without being scored.",
        ),
    ),
    (
        "pricing",
        5,
        _by_words(
            "Pricing",
            ("firm fixed", "lowest price", "reverse auction", "lpta"),
            "Fixed or lowest-price terms move the risk of a wrong estimate to us, so have a second "
            "estimator price the three largest work packages on their own and reconcile both figures "
            "before the review of the price volume.",
        ),
    ),
    (
        "technical-risk",
        5,
        _by_words(
            "Technical risk",
            ("legacy", "migration", "mainframe", "custom"),
            "Work on old systems hides undocumented interfaces, so ask for the interface list in the "
            "question period and price a discovery phase with an exit of its own instead of one large "
            "delivery at the end of the contract.",
        ),
    ),
    (
        "place-of-work",
        5,
        _by_words(
            "Place of work",
            ("alaska", "guam", "overseas", "classified site"),
            "Remote or closed places raise travel, allowances and access lead time; check the lodging "
            "rates and the access procedure with the site before the bid decision, because neither can be "
            "recovered from the price later.",
        ),
    ),
    (
        "past-performance",
        5,
        _by_words(
            "Past performance",
            ("cpars", "references", "similar in size", "relevant experience"),
            "References count only where size, scope and agency are alike, so take contracts of the last five "
            "years, ask their officers for permission now, and let a partner bring what our own record lacks.",
        ),
    ),
    (
        "data-rights",
        5,
        _by_words(
            "Data rights",
            ("unlimited rights", "source code", "escrow", "open source"),
            "Rights given away in one contract are gone for the next one as well, so list what was built at our "
            "own expense, mark it in the proposal, and let counsel read the clause before the price is set.",
        ),
    ),
)
