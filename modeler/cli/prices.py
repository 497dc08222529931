"""``modeler prices``: the tables in force, new price lists beside them, and back again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from modeler.cli.options import output_options, split_list
from modeler.cli.output import check_output, emit, talk

if TYPE_CHECKING:
    from pricing.offers import Difference, Reading, Tally


@click.group("prices")
def command() -> None:
    """The price tables: what is held, how to renew it, and how to go back."""


@command.command("list")
@output_options()
def list_command(format: str, output: str | None) -> None:
    """List the tables in force: rows, regions, types, dates, and how many rows are your own."""
    from pricing import tables
    from pricing.own import TABLES

    check_output(output)
    rows = []
    for name, shape in TABLES.items():
        held = tables.read_rows(f"{name}.csv")
        days = sorted((row["as_of"] for row in held), key=tables.last_day)
        rows.append(
            {
                "table": name,
                "prices": len(held),
                "regions": len({row["region"] for row in held}),
                "names": len({row[shape.name] for row in held}),
                "oldest": days[0] if days else None,
                "newest": days[-1] if days else None,
                "yours": len(tables.own_prices(f"{name}.csv")),
            }
        )
    emit({"schema": "prices/1", "tables": rows}, format=format, output=output, table=rows)


@command.command("refresh")
@click.option(
    "--from",
    "files",
    metavar="FILE",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="A price list as its provider publishes it, recognised by its content; gzip too. May be "
    "repeated.",
)
@click.option("--live", is_flag=True, help="Ask AWS for the types and regions named; read-only.")
@click.option(
    "--region", "regions", metavar="REGION[,REGION]", callback=split_list, help="Only these."
)
@click.option("--type", "types", metavar="TYPE[,TYPE]", callback=split_list, help="Only these.")
@click.option(
    "--as-of",
    metavar="YYYY-MM-DD",
    help="Day on which the files were fetched; by default what they state, else when they were "
    "last written.",
)
@click.option(
    "--factor",
    type=click.FloatRange(min=1.0, min_open=True),
    default=2.0,
    show_default=True,
    help="How many times a price may have changed, or lie outside its family; others are left out.",
)
@click.option("--apply", "applied", is_flag=True, help="Write them into your own tables.")
@click.option("--profile", metavar="NAME", help="AWS profile, with --live.")
@click.option("--endpoint-url", metavar="URL", help="Another address than AWS's, with --live.")
@output_options()
def refresh_command(
    files: Sequence[str],
    live: bool,
    regions: Sequence[str] | None,
    types: Sequence[str] | None,
    as_of: str | None,
    factor: float,
    applied: bool,
    profile: str | None,
    endpoint_url: str | None,
    format: str,
    output: str | None,
) -> None:
    """Read new price lists and show what they would change; --apply keeps them.

    FILE is an AWS offer file, saved replies of get-products, describe-spot-price-history or
    describe-savings-plans-offering-rates, Azure Retail Prices, or Google's Cloud Billing Catalog.
    Only Linux on shared tenancy is taken, SageMaker's hosting component, dollars; a zero, an
    outlier and what disagrees with itself are counted with their reason. Nothing shipped is
    changed: --apply writes into the folder that MODELER_PRICES names, by default
    modeler/prices in your data folder, and prices restore goes back.

    In Python: pricing.offers.read_offers, check, differences, apply.
    """
    from decimal import Decimal

    from pricing import offers

    check_output(output)
    if bool(files) == live:
        raise click.UsageError("give either --from FILE, or --live to ask AWS")
    if not live and (profile or endpoint_url):
        raise click.UsageError("--profile and --endpoint-url go with --live")
    today = datetime.now(UTC).date().isoformat()
    wanted: dict[str, Any] = {"regions": _codes(regions or ()), "types": tuple(types or ())}
    if live:
        reading = _live(wanted, today, profile, endpoint_url)
    else:
        reading = offers.read_offers(files, as_of=as_of, **wanted)
    found = offers.check(reading.offers, reading.tally, today=today, factor=Decimal(str(factor)))
    if not reading.tally.taken and (regions or types):
        _tell_nearest(wanted)
    # A list that was narrowed says nothing of what is gone.
    whole = () if regions or types else reading.whole
    told = offers.differences(found, whole)
    written = [str(path) for path in offers.apply(found)] if applied and found else []
    report = {
        "schema": "prices-refresh/1",
        "files": reading.files,
        "items": reading.tally.items,
        "taken": reading.tally.taken,
        "rejected": _rejected(reading.tally),
        "counts": {
            status: sum(one.status == status for one in told)
            for status in ("new", "changed", "same", "gone")
        },
        "differences": [_row(one) for one in told if one.status != "same"],
        "written": written,
    }
    shown = _shown(told) if format == "table" else [_row(o) for o in told if o.status != "same"]
    emit(report, format=format, output=output, table=shown)
    _talk(report, applied=applied)


@command.command("restore")
def restore_command() -> None:
    """Put your own tables back as they were before the last refresh that was applied."""
    from pricing import offers

    written = offers.restore()
    talk(f"restored {', '.join(path.name for path in written) or 'that there were none'}")


_MOST_NEW = 20  # new prices a table on a terminal shows; the other formats have all


def _shown(told: Sequence[Difference]) -> list[dict[str, Any]]:
    """What changed and what is gone, and the first of what is new."""
    new = [one for one in told if one.status == "new"]
    return [_row(one) for one in told if one.status in ("changed", "gone")] + [
        _row(one) for one in new[:_MOST_NEW]
    ]


def _row(one: Difference) -> dict[str, Any]:
    return {
        "status": one.status,
        "table": one.table,
        "price": " ".join(one.key),
        "old": one.old,
        "new": one.new,
        "percent": None if one.percent is None else round(one.percent, 2),
        "old_as_of": one.old_as_of,
        "as_of": one.as_of,
    }


def _rejected(tally: Tally) -> list[dict[str, Any]]:
    by_count = sorted(tally.rejected.items(), key=lambda item: (-item[1], item[0]))
    return [
        {"reason": reason, "count": count, "first": tally.first[reason]}
        for reason, count in by_count
    ]


def _talk(report: dict[str, Any], *, applied: bool) -> None:
    counts = report["counts"]
    for file, kinds in report["files"].items():
        talk(f"{file}: {', '.join(kinds)}")
    talk(
        f"read {report['items']:,} items, took {report['taken']:,}: {counts['new']:,} new, "
        f"{counts['changed']:,} changed, {counts['same']:,} the same, {counts['gone']:,} gone"
    )
    for one in report["rejected"]:
        talk(f"left out {one['count']:,}: {one['reason']} (first: {one['first']})")
    if report["written"]:
        talk(f"wrote {', '.join(report['written'])}; prices restore goes back")
    elif applied:
        talk("nothing to write")
    elif report["taken"]:
        talk("nothing was written: --apply keeps them")


def _tell_nearest(wanted: dict[str, Any]) -> None:
    """Of names that no table knows and that no list had, the nearest that are known."""
    from pricing import instance_types, regions, tables

    known = {"types": {*instance_types(), *tables.cloud_types()}, "regions": {*regions()}}
    known["regions"] |= {region for region, _ in tables.cloud_on_demand().held()}
    for what, names in known.items():
        for name in wanted[what]:
            near = tables.nearest(name, names) if name not in names else []
            if near:
                talk(f'no table knows "{name}"; nearest: {", ".join(near)}')


def _codes(regions: Sequence[str]) -> tuple[str, ...]:
    from pricing import region_code

    return tuple(region_code(one) for one in regions)


def _live(
    wanted: dict[str, Any], today: str, profile: str | None, endpoint_url: str | None
) -> Reading:
    """What AWS answers now."""
    from modeler.platforms.price_lists import fetch
    from pricing.offers import read_replies

    if not wanted["types"] or not wanted["regions"]:
        raise click.UsageError(
            "--live asks for each type in each region: name them, "
            "--type g5.2xlarge,ml.g5.2xlarge --region us-east-1"
        )
    found = fetch(wanted["types"], wanted["regions"], profile=profile, endpoint_url=endpoint_url)
    for gap in found.gaps:
        talk(f"gap: {gap}")
    if found.gaps and not any(_answered(reply) for reply in found.replies):
        from modeler.platforms.account import AccountError

        raise AccountError(f"AWS gave no price: {'; '.join(found.gaps)}")
    return read_replies(found.replies, as_of=today, **wanted)


def _answered(reply: str) -> bool:
    import json

    return any(bool(listed) for listed in json.loads(reply).values())
