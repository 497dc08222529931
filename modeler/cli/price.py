"""``modeler price``: what an instance costs, with date and source."""

import click

from modeler.cli.options import output_options
from modeler.cli.output import emit


@click.command("price")
@click.argument("instance_type", metavar="TYPE")
@click.option(
    "--region",
    metavar="REGION",
    default="us-east-1",
    show_default=True,
    help="Region whose price is wanted.",
)
@click.option(
    "--purchase",
    type=click.Choice(["on-demand", "spot"]),
    default="on-demand",
    show_default=True,
    help="Spot is the mean over the zones of a snapshot (EC2 only).",
)
@click.option(
    "--as-of", metavar="YYYY-MM-DD", help="Use nothing read after this day; default the latest."
)
@click.option(
    "--allow-derived",
    is_flag=True,
    help="Where no hosting price is quoted, estimate it from the EC2 price; labelled derived.",
)
@output_options()
def command(
    instance_type: str,
    region: str,
    purchase: str,
    as_of: str | None,
    allow_derived: bool,
    format: str,
    output: str | None,
) -> None:
    """Print the hourly price of TYPE, when it was read and where.

    TYPE tells the provider: ml.g5.2xlarge is SageMaker hosting, g5.2xlarge is EC2 (Linux, shared
    tenancy). An unknown name ends with exit code 2 and the nearest names; a known one without a
    price with 5 and what comes nearest to it.

    In Python: pricing.price("ml.g5.2xlarge", "us-east-1").
    """
    from pricing import price

    found = price(instance_type, region, purchase, as_of=as_of, allow_derived=allow_derived)
    record = {
        "schema": "price/1",
        "instance_type": found.instance_type,
        "region": found.region,
        "provider": found.provider,
        "service": found.service,
        "purchase": found.purchase,
        "usd_per_hour": found.usd_per_hour,
        "currency": found.currency,
        "as_of": found.as_of,
        "confidence": found.confidence,
        "source": found.source,
        "note": found.note or None,
    }
    # A person reads the price to its last digit; a table's cells would round it.
    shown = {key: value for key, value in record.items() if key != "schema" and value is not None}
    shown["usd_per_hour"] = f"{found.usd_per_hour.normalize():f}"
    emit(record, format=format, output=output, table=[shown] if format == "table" else None)
