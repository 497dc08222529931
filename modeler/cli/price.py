"""``modeler price``: what an instance costs, with date and source."""

from typing import Any

import click

from modeler.cli.options import output_options
from modeler.cli.output import emit, tell_old_prices


@click.command("price")
@click.argument("instance_type", metavar="TYPE")
@click.option(
    "--region",
    metavar="REGION",
    default="us-east-1",
    show_default=True,
    help='Region whose price is wanted, by its code or in words, such as "Europe (Ireland)".',
)
@click.option(
    "--purchase",
    type=click.Choice(["on-demand", "spot"]),
    default="on-demand",
    show_default=True,
    help="Spot is of a snapshot, on EC2 the mean over its zones.",
)
@click.option(
    "--zone", metavar="AZ-ID", help="Spot in one availability zone of EC2, such as use1-az4."
)
@click.option(
    "--as-of", metavar="YYYY-MM-DD", help="Use nothing read after this day; default the latest."
)
@click.option(
    "--allow-derived",
    is_flag=True,
    help="Where no price is quoted, estimate it: hosting from EC2's, spot from the mean saving; "
    "labelled derived.",
)
@output_options()
def command(
    instance_type: str,
    region: str,
    purchase: str,
    zone: str | None,
    as_of: str | None,
    allow_derived: bool,
    format: str,
    output: str | None,
) -> None:
    """Print the hourly price of TYPE, when it was read and where.

    TYPE tells the provider: ml.g5.2xlarge is SageMaker hosting, g5.2xlarge is EC2, g2-standard-8
    Compute Engine, Standard_NC4as_T4_v3 Azure (Linux, shared tenancy). A service that is metered
    otherwise lists its units: lambda, sagemaker_serverless, fargate, s3, ebs_gp3, ecr, nat_gateway,
    data_transfer, container_apps, modal and others; lambda/request is one of them; token_api lists
    APIs by the token, token_api/groq/llama-3.1-8b-instant one. An unknown name
    ends with exit code 2 and the nearest names; a known one without a price with 5 and what comes
    nearest to it.

    In Python: pricing.price("ml.g5.2xlarge", "us-east-1"),
    pricing.serverless_price("fargate", "vcpu_hour_x86", "eu-west-1").
    """
    from pricing import metered_services, price

    service, _, item = instance_type.partition("/")
    if service == "token_api":
        rows = _token_apis(item)
        emit({"schema": "meters/1", "meters": rows}, format=format, output=output, table=rows)
        return
    if item or service in metered_services():
        rows = _metered(service, item, region, as_of)
        emit({"schema": "meters/1", "meters": rows}, format=format, output=output, table=rows)
        return

    found = price(
        instance_type, region, purchase, as_of=as_of, zone=zone, allow_derived=allow_derived
    )
    record = {
        "schema": "price/1",
        "instance_type": found.instance_type,
        "region": found.region,
        "provider": found.provider,
        "service": found.service,
        "purchase": found.purchase,
        "usd_per_hour": found.per_hour if found.currency == "USD" else None,
        f"{found.currency.lower()}_per_hour": found.per_hour,
        "currency": found.currency,
        "as_of": found.as_of,
        "confidence": found.confidence,
        "source": found.source,
        "note": found.note or None,
    }
    # A person reads the price to its last digit; a table's cells would round it.
    shown = {key: value for key, value in record.items() if key != "schema" and value is not None}
    shown[f"{found.currency.lower()}_per_hour"] = f"{found.per_hour.normalize():f}"
    emit(record, format=format, output=output, table=[shown] if format == "table" else None)
    if as_of is None:
        tell_old_prices([record])


def _token_apis(model: str) -> list[dict[str, Any]]:
    """APIs that are billed by the token, or one of them."""
    from pricing import token_models, token_price

    found = [token_price(name) for name in ([model] if model else token_models())]
    return [
        {
            "model": one.model,
            "prompt_usd_per_million": f"{one.prompt_usd_per_million.normalize():f}",
            "output_usd_per_million": f"{one.output_usd_per_million.normalize():f}",
            "as_of": one.as_of,
            "source": one.source,
        }
        for one in found
    ]


def _metered(service: str, item: str, region: str, as_of: str | None) -> list[dict[str, Any]]:
    """Units of a service, or one of them, that are priced in a region."""
    from pricing import PriceNotFound, metered_items, serverless_price

    found, missing = [], None
    for name in [item] if item else metered_items(service):
        try:
            one = serverless_price(service, name, region, as_of=as_of)
        except PriceNotFound as error:
            missing = error
            continue
        found.append(
            {
                "service": one.service,
                "item": one.item,
                "region": one.region,
                "usd": f"{one.usd.normalize():f}",
                "as_of": one.as_of,
                "source": one.source,
            }
        )
    if not found and missing is not None:
        raise missing
    return found
