"""What more traffic comes to, in sentences that need no engineer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modeler.study.growth import Growth

Row = dict[str, Any]


def advice(found: Growth) -> str:
    """What more traffic costs and misses, and when to raise the cap."""
    done = [row for row in found.rows if row["status"] == "ok"]
    if not done:
        return f"Nothing could be replayed: {found.rows[0]['error']}."
    now = next((row for row in done if row["factor"] == 1.0), done[0])
    text = (
        f"Today's traffic costs ${now['usd_per_month']:,.0f} a month and misses {_share(now)}"
        if now["factor"] == 1.0
        else f"{now['factor']:g} times today's traffic costs ${now['usd_per_month']:,.0f} a "
        f"month and misses {_share(now)}"
    )
    text += _broken(found, now)
    more = [row for row in done if row["factor"] > now["factor"]]
    if more:
        then = next((row for row in more if row["factor"] >= 2.0), more[-1])
        wanted = then["wanted_replicas"]
        text += (
            f"; {then['factor']:g} times as much would cost ${then['usd_per_month']:,.0f}, "
            f"miss {_share(then)}, and want {wanted} replica{'' if wanted == 1 else 's'} at "
            "its peak"
        )
    return f"{text}. {_binds(found)}"


def _broken(found: Growth, row: Row) -> str:
    """What is to be said where more miss than is allowed, or may."""
    low, high = row["sla_violation_share_low"], row["sla_violation_share_high"]
    allowed = f"the {_percent(found.allowed_share)} that the service level allows"
    unsure = low is not None and low <= found.allowed_share < high
    if row["meets_sla"]:
        return f", within {allowed}, which other days like these may break" if unsure else ""
    already = " already" if row["factor"] == 1.0 else ""
    though = ", though other days like these may keep it" if unsure else ""
    return f", more than {allowed}: it is broken{already}{though}"


def _binds(found: Growth) -> str:
    binding = found.binding
    share = _percent(found.allowed_share)
    if binding is None:
        return (
            f"Up to {found.searched:.3g} times the traffic {found.cap} is enough: no more than "
            f"{share} miss for it."
        )
    again = any(row["usd_low"] is not None for row in found.rows)
    drawn = " on the traffic as it came" if again else ""
    since = f"from {binding.high:.3g} times the traffic on more than {share} miss for it{drawn}"
    if binding.high <= 1.0:
        return f"{found.cap} is too few already, {since}: raise it."
    text = f"{found.cap} is too few for much more, {since}: raise it by then"
    if binding.years is not None:
        text += f", which at {found.per_year:g} times a year is {binding.years:.1f} years from now"
    if binding.day is not None:
        text += f" ({binding.day:%B %Y})"
    return f"{text}."


def _share(row: Row) -> str:
    """The share missed, with its interval where there is one."""
    text = _percent(row["sla_violation_share"])
    low, high = row["sla_violation_share_low"], row["sla_violation_share_high"]
    return text if low is None else f"{text} (between {_percent(low)} and {_percent(high)})"


def _percent(share: float) -> str:
    return f"{float(f'{100.0 * share:.2g}'):g} %"
