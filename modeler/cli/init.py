"""``modeler init``: a scenario from what runs already: an endpoint, a manifest, Terraform."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from modeler.cli.options import output_options
from modeler.cli.output import check_output, emit, talk

if TYPE_CHECKING:
    from modeler.platforms.composed import Composed


# Option, and what it asks for.
_MANIFESTS: Final = {
    "hpa": "a HorizontalPodAutoscaler", "keda": "a KEDA ScaledObject",
    "knative": "a Knative Service",
    "terraform": "an endpoint and its scaling: .tf, their folder, a plan or a state as JSON",
}  # fmt: skip


def _manifest_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--from-hpa`` and its like."""
    for platform, what in reversed(_MANIFESTS.items()):
        command = click.option(
            f"--from-{platform}", metavar="FILE[#NAME]", help=f"A file of {what}."
        )(command)
    return command


@click.command("init")
@click.option("--from-endpoint", "name", metavar="NAME", help="A SageMaker endpoint.")
@_manifest_options
@click.option("--variant", metavar="NAME", help="Which variant or component, of several.")
@click.option(
    "--days", type=click.FloatRange(min=0.01, max=455), default=14.0, show_default=True,
    help="Length of the window of metrics, up to now. [days]",
)  # fmt: skip
@click.option(
    "--region",
    metavar="REGION",
    help="Region, instead of the configuration's; of a manifest, which does not say one.",
)
@click.option("--profile", metavar="NAME", help="AWS profile.")
@click.option("--endpoint-url", metavar="URL", help="Another address than AWS's own.")
@click.option(
    "--out", "folder", type=click.Path(), metavar="DIR", help="Folder to write, named as NAME."
)
@click.option("--dry-run", is_flag=True, help="List the calls and what permits them; ask nothing.")
@output_options()
def command(
    name: str | None,
    variant: str | None,
    days: float,
    region: str | None,
    profile: str | None,
    endpoint_url: str | None,
    folder: str | None,
    dry_run: bool,
    format: str,
    output: str | None,
    **manifests: str | None,
) -> None:
    """Describe what runs already as a scenario: an endpoint with its traffic, or a manifest.

    From a manifest: the policy stays in its file, of which a copy lies beside the scenario; the
    workload in the same file tells the first replicas, the instance type of its node selector or
    affinity, and a published model that its arguments name. What it does not tell is named.

    From an endpoint: reads, and never writes, the account: variants, inference components,
    serverless and asynchronous settings; artifact and image sizes; scaling targets, policies,
    scheduled actions and alarms; invocations, latency and instance counts of the last days. Writes
    scenario.yaml, whose lines say where they are from, invocations.json, policy.json and
    observed.json. What is not known, for want of a permission or a metric, is named in the
    scenario and on stderr.

    \b
    modeler init --from-endpoint chat --region eu-west-1 --out chat
    modeler init --from-keda scaledobject.yaml --out chat
    modeler replay chat/scenario.yaml

    The permissions: docs/account.md, or --dry-run --format json.
    """
    given = [f"--{key.replace('_', '-')}" for key, value in manifests.items() if value]
    given += ["--from-endpoint"] if name is not None else []
    if len(given) != 1 and not (dry_run and not given):
        choices = ", ".join(f"--from-{one}" for one in ("endpoint", *_MANIFESTS))
        raise click.UsageError(f"give one of {choices}" + (f": got {given}" if given else ""))
    check_output(output)
    for key, file in manifests.items():
        if file:
            of_accounts = {"--variant": variant, "--profile": profile,
                           "--endpoint-url": endpoint_url, "--dry-run": dry_run}  # fmt: skip
            ignored = [option for option, value in of_accounts.items() if value]
            if ignored:
                raise click.UsageError(f"{', '.join(ignored)} are of an account, not of {given[0]}")
            _from_manifest(key.removeprefix("from_"), file, region, folder, format, output)
            return
    from modeler.platforms.account import (
        CALLS,
        Account,
        compose,
        iam_policy,
        read_endpoint,
        read_traffic,
    )

    if dry_run:
        rows = [
            {"service": c.service, "operation": c.operation, "permission": c.action,
             "for": c.purpose}
            for c in CALLS
        ]  # fmt: skip
        listed = {"schema": "account-calls/1", "calls": rows, "policy": iam_policy()}
        emit(listed, format=format, output=output, table=rows)
        return
    assert name is not None
    target = _free(folder or name)
    account = Account(region, profile, endpoint_url)
    found = read_endpoint(account, name, variant)
    talk(f"{name}: {found.kind}, {found.instance_type or 'no instances'}; reading its metrics")
    seen = read_traffic(account, found, days)
    composed = compose(account, found, seen)
    _write(composed, target)
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
    _tell_next(composed, target)


def _from_manifest(
    platform: str,
    file: str,
    region: str | None,
    folder: str | None,
    format: str,
    output: str | None,
) -> None:
    """The scenario of a manifest, its files and its gaps."""
    from modeler.cli.scenario import split_name
    from modeler.platforms.manifest import from_manifest
    from modeler.platforms.terraform import from_terraform

    path, which = split_name(file)
    if platform == "terraform":
        composed = from_terraform(path, which, region)
    else:
        composed = from_manifest(path, which, platform, region)
    target = _free(folder or which or Path(path).stem)
    _write(composed, target)
    report = {
        "schema": "manifest/1",
        "manifest": path,
        "files": [str(target / one) for one in composed.files],
        "gaps": list(composed.gaps),
    }
    if format == "table":
        emit({"manifest": path, "files": ", ".join(composed.files)}, output=output)
    else:
        emit(report, format=format, output=output)
    for gap in composed.gaps:
        talk(f"not known: {gap}")
    _tell_next(composed, target)


def _free(folder: str) -> Path:
    """A folder that holds nothing yet."""
    target = Path(folder)
    if target.exists() and any(target.iterdir() if target.is_dir() else [target]):
        raise click.UsageError(f"{target} is there already: give another folder with --out DIR")
    return target


def _write(composed: Composed, target: Path) -> None:
    """All files or none."""
    from modeler.report.files import whole_folder

    with whole_folder(str(target)) as scratch:
        for file, text in composed.files.items():
            (Path(scratch) / file).write_text(text, encoding="utf-8")


def _tell_next(composed: Composed, target: Path) -> None:
    talk(f"wrote {', '.join(composed.files)} to {target}")
    talk(f"next: modeler replay {target}/scenario.yaml")
