"""``modeler coldstart``: the phases of a cold start, by model size."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from modeler.cli import exits
from modeler.cli.options import (
    instance_option,
    output_options,
    region_option,
    seed_option,
    set_option,
    size_option,
)
from modeler.cli.output import check_output, emit, talk

if TYPE_CHECKING:
    from modeler.predict.waterfall import ColdStartReport
    from modeler.scenario import Scenario

_BAR_WIDTH: Final = 44


@click.command()
@click.argument("scenario", required=False)
@size_option
@instance_option
@click.option(
    "--hosting",
    metavar="KIND",
    help="Where replicas run, a kind of hosting: sagemaker_realtime, eks_karpenter, cloud_run, ...",
)
@region_option
@seed_option
@set_option
@click.option(
    "--compare",
    "comparing",
    is_flag=True,
    help="What caches, a streaming loader, int8, warm pools, disks, peers, snapshots and sleeping "
    "engines would each save, by size.",
)
@click.option(
    "--replicas",
    type=click.IntRange(1, 10_000),
    default=1,
    show_default=True,
    help="Asked for at one instant: they share cold_start.store_total_bytes_per_s and "
    "registry_total_bytes_per_s.",
)
@output_options()
@click.pass_context
def command(
    ctx: click.Context,
    scenario: str | None,
    sizes: tuple[str, ...] | None,
    instance: str | None,
    hosting: str | None,
    region: str | None,
    seed: int | None,
    settings: dict[str, tuple[str, ...]],
    comparing: bool,
    replicas: int,
    format: str,
    output: str | None,
) -> None:
    """Print how long a new replica takes until it serves, phase by phase.

    SCENARIO is a scenario file; by default the embedded one. A size that does not fit the instance
    is a failed row and exit code 4. In Python: modeler.predict.coldstart(scenario, sizes).
    """
    from modeler.predict.waterfall import coldstart
    from modeler.scenario import parse_size

    check_output(output)
    asked = _scenario(scenario, hosting, instance, region, seed, settings)
    if comparing:
        if replicas > 1:
            raise click.UsageError("--compare is of one start by itself: leave --replicas out")
        each = [parse_size(size) for size in sizes] if sizes else None
        ctx.exit(_compare(asked, each, format, output))
    report = coldstart(
        asked, [parse_size(size) for size in sizes] if sizes else None, replicas=replicas
    )
    if format == "table":
        origins = Counter(constant.origin for constant in report.constants)
        talk(
            f"{report.instance_type} on {report.hosting_kind}; constants: "
            + ", ".join(f"{count} {origin}" for origin, count in sorted(origins.items()))
            + " (--format json lists them with their sources)"
        )
        if asked.cold_start.constants is not None:
            talk(f"observed ones from {asked.cold_start.constants} come before the table's")
    table = {"table": _bars, "csv": _rows}.get(format)
    emit(
        report.to_dict(),
        format=format,
        output=output,
        table=list(table(report)) if table else None,
    )
    nodes = getattr(asked.hosting, "nodes", None)
    if nodes is not None and nodes.kind == "warm_pool":
        talk(
            "a start outside of the warm pool is shown, as when the pool is empty; --compare and "
            "replay take machines from it"
        )
    start = asked.cold_start
    if replicas > 1 and start.store_total_bytes_per_s is start.registry_total_bytes_per_s is None:
        talk(
            "nothing is shared: write cold_start.store_total_bytes_per_s or "
            "cold_start.registry_total_bytes_per_s"
        )
    for size in report.sizes:
        if size.error is not None:
            talk(f"failed: {size.error}")
    if any(size.error for size in report.sizes):
        ctx.exit(exits.PARTIAL)


def _compare(scenario: "Scenario", sizes: list[int] | None, format: str, output: str | None) -> int:
    """A row an intervention and size: the start with it, and what it saves; the exit code."""
    from modeler.predict.interventions import AS_IT_IS, compare
    from modeler.scenario import format_size

    rows = [saving.to_dict() for saving in compare(scenario, sizes)]
    report = {
        "schema": "coldstart-compare/1",
        "hosting": scenario.hosting.kind,
        "instance_type": scenario.hosting.instance,
        "dtype": scenario.model.dtype,
        "interventions": rows,
    }
    shown = [
        {
            "size": format_size(row["size_bytes"]),
            "intervention": row["intervention"],
            "start_s": "-" if row["total_p50_s"] is None else f"{row['total_p50_s']:.1f}",
            "saves_s": "-" if row["saved_s"] is None else f"{row['saved_s']:.1f}",
            "why": row["why"],
        }
        for row in rows
    ]
    emit(report, format=format, output=output, table=shown if format == "table" else rows)
    failed = [row for row in rows if row["intervention"] == AS_IT_IS and row["saved_s"] is None]
    for row in failed:
        talk(f"failed: {row['why']}")
    return exits.PARTIAL if failed else exits.OK


def _scenario(
    file: str | None,
    hosting: str | None,
    instance: str | None,
    region: str | None,
    seed: int | None,
    settings: dict[str, tuple[str, ...]],
) -> "Scenario":
    from modeler.scenario import default, load, with_values

    values: dict[str, object] = {
        "hosting.kind": hosting,
        "hosting.instance": instance,
        "hosting.region": region,
        "seed": seed,
    }
    for path, given in settings.items():
        if len(given) > 1:
            raise click.BadParameter(
                f"{path} has {len(given)} values: coldstart varies the size alone, with --size",
                param_hint="--set",
            )
        values[path] = given[0]
    asked = {path: value for path, value in values.items() if value is not None}
    # No traffic is read: the trace may be elsewhere.
    return with_values(load(file, check_files=False) if file else default(), asked)


def _rows(report: "ColdStartReport") -> Iterator[dict[str, Any]]:
    """One row per size and phase, then the totals; a size that failed is one row."""
    for size in report.sizes:
        row: dict[str, Any] = {"size_bytes": size.size_bytes}
        if size.waterfall is None:
            yield row | {"phase": None, "error": str(size.error)}
            continue
        for bar in size.waterfall.phases:
            yield row | {
                "phase": bar.phase,
                "p50_s": bar.p50_s,
                "p95_s": bar.p95_s,
                "starts_s": bar.starts_s,
                "ends_s": bar.ends_s,
                "error": None,
            }
        totals = [("total", size.waterfall.total_p50_s, size.waterfall.total_p95_s)]
        for mode in size.modes:
            totals.append((f"total: {mode.mode} ({mode.share:.0%})", mode.p50_s, mode.p95_s))
        if size.together is not None:
            last = size.together
            totals.append((f"last of {last.replicas}", last.last_p50_s, last.last_p95_s))
        for phase, p50_s, p95_s in totals:
            yield row | {
                "phase": phase,
                "p50_s": p50_s,
                "p95_s": p95_s,
                "starts_s": 0.0,
                "ends_s": p50_s,
                "error": None,
            }


def _bars(report: "ColdStartReport") -> Iterator[dict[str, Any]]:
    """The rows for a person: whole tenths of a second and a bar on one scale for all sizes."""
    from modeler.scenario import format_size

    rows = list(_rows(report))
    scale = _BAR_WIDTH / max(*(row.get("ends_s", 0.0) for row in rows), 1e-9)
    for row in rows:
        shown: dict[str, Any] = {"size": format_size(row["size_bytes"])}
        if row["error"]:
            yield shown | {"phase": "does not fit"}
            continue
        begin, end = round(row["starts_s"] * scale), round(row["ends_s"] * scale)
        length = max(end - begin, 1 if row["ends_s"] > row["starts_s"] else 0)
        yield shown | {
            "phase": row["phase"],
            **{name: f"{row[name]:.1f}" for name in ("starts_s", "p50_s", "p95_s")},
            "waterfall": " " * begin + "█" * length,
        }
