"""``modeler init``: a scenario and its traffic from what an account runs already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from modeler.cli.options import output_options
from modeler.cli.output import check_output, emit, talk


@click.command("init")
@click.option(
    "--from-endpoint", "name", metavar="NAME", required=True, help="A SageMaker endpoint."
)
@click.option("--variant", metavar="NAME", help="Which variant or component, of several.")
@click.option(
    "--days", type=click.FloatRange(min=0.01, max=455), default=14.0, show_default=True,
    help="Length of the window of metrics, up to now. [days]",
)  # fmt: skip
@click.option("--region", metavar="REGION", help="Region, instead of the configuration's.")
@click.option("--profile", metavar="NAME", help="AWS profile.")
@click.option("--endpoint-url", metavar="URL", help="Another address than AWS's own.")
@click.option(
    "--out", "folder", type=click.Path(), metavar="DIR", help="Folder to write, named as NAME."
)
@click.option("--dry-run", is_flag=True, help="List the calls and what permits them; ask nothing.")
@output_options()
def command(
    name: str,
    variant: str | None,
    days: float,
    region: str | None,
    profile: str | None,
    endpoint_url: str | None,
    folder: str | None,
    dry_run: bool,
    format: str,
    output: str | None,
) -> None:
    """Describe a running endpoint as a scenario, with the traffic it had.

    Reads, and never writes, the account: variants, inference components, serverless and
    asynchronous settings; artifact and image sizes; scaling targets, policies, scheduled actions
    and alarms; invocations, latency and instance counts of the last days. Writes scenario.yaml,
    whose lines say where they are from, invocations.json, policy.json and observed.json. What is
    not known, for want of a permission or a metric, is named in the scenario and on stderr.

    \b
    modeler init --from-endpoint chat --region eu-west-1 --out chat
    modeler replay chat/scenario.yaml

    The permissions: docs/account.md, or --dry-run --format json.
    """
    from modeler.platforms.account import (
        CALLS,
        Account,
        compose,
        iam_policy,
        read_endpoint,
        read_traffic,
    )

    check_output(output)
    if dry_run:
        rows = [
            {"service": c.service, "operation": c.operation, "permission": c.action,
             "for": c.purpose}
            for c in CALLS
        ]  # fmt: skip
        listed = {"schema": "account-calls/1", "calls": rows, "policy": iam_policy()}
        emit(listed, format=format, output=output, table=rows)
        return
    target = Path(folder or name)
    if target.exists() and any(target.iterdir() if target.is_dir() else [target]):
        raise click.UsageError(f"{target} is there already: give another folder with --out DIR")
    account = Account(region, profile, endpoint_url)
    found = read_endpoint(account, name, variant)
    talk(f"{name}: {found.kind}, {found.instance_type or 'no instances'}; reading its metrics")
    seen = read_traffic(account, found, days)
    composed = compose(account, found, seen)
    from modeler.report.files import whole_folder

    with whole_folder(str(target)) as scratch:
        for file, text in composed.files.items():
            (Path(scratch) / file).write_text(text, encoding="utf-8")
    report: dict[str, Any] = {
        "schema": "account/1",
        "endpoint": name,
        "kind": found.kind,
        "instance_type": found.instance_type,
        "instances": found.instances,
        "requests": seen.requests,
        "artifact_bytes": found.artifact_bytes,
        "image_bytes": found.image_bytes,
        "policies": len(found.policy.get("ScalingPolicies", ())),
        "files": [str(target / file) for file in composed.files],
        "gaps": account.gaps,
        "calls": account.asked,
    }
    if format == "table":
        shown = {k: v for k, v in report.items() if k not in ("schema", "gaps", "calls", "files")}
        emit(shown, output=output)
    else:
        emit(report, format=format, output=output)
    for gap in account.gaps:
        talk(f"not known: {gap}")
    calls = ", ".join(f"{each} {count}" for each, count in account.asked.items())
    talk(f"{sum(account.asked.values())} calls: {calls}")
    talk(f"wrote {', '.join(composed.files)} to {target}")
    talk(f"next: modeler replay {target}/scenario.yaml")
