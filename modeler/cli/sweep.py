"""``modeler sweep``: the main job."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import date

import click

from modeler.cli import exits
from modeler.cli.options import (
    output_options,
    region_option,
    seed_option,
    set_option,
    size_option,
    split_list,
    trace_option,
)
from modeler.cli.output import check_output, deliver, emit, talk, tell_old_prices

_UNPRICED = frozenset({"PriceNotFound", "AmbiguousPrice"})


@click.command("sweep")
@click.argument("scenario_file", metavar="[SCENARIO]", required=False)
@trace_option
@size_option
@click.option(
    "--precision",
    "precisions",
    metavar="DTYPES",
    callback=split_list,
    help="The same models in several precisions, e.g. fp16,fp8,int8,int4. Sizes are those of the "
    "scenario's own model.dtype.",
)
@click.option(
    "--instance",
    "instances",
    metavar="TYPE[,TYPE]",
    callback=split_list,
    help="Instance types, e.g. ml.g5.2xlarge.",
)
@region_option
@seed_option
@click.option(
    "--policy",
    "policies",
    metavar="POLICY[,POLICY]|FILE",
    multiple=True,
    help="Policies to compare, each on its own platform: all, or names such as "
    "target_tracking,hpa,keda. Or a platform's own policy file, in place of the scenario's policy: "
    "HPA, ScaledObject or Knative YAML, Application Auto Scaling JSON, CloudFormation, Terraform; "
    "FILE#NAME picks one of several. May be repeated: names are rows, the files of one target add "
    "up.",
)
@set_option
@click.option(
    "--executor",
    metavar="NAME",
    default="threads",
    show_default=True,
    help="Who replays: threads, processes, dask or ray here, or a cluster: dask://HOST:8786, "
    "ray://HOST:10001. The result is the same to the byte.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=None,
    help="Threads or processes; by default one a core. The result is the same for any number.",
)
@click.option(
    "--no-references",
    is_flag=True,
    help="Leave out the fixed fleets that each size is held against.",
)
@click.option(
    "--out",
    "folder",
    metavar="DIR",
    help="Also write results.json, scenarios.csv, figures (PNG, SVG) and report.html to DIR.",
)
@output_options(parquet=True, focus=True)
@click.pass_context
def command(
    ctx: click.Context,
    scenario_file: str | None,
    trace: str | None,
    sizes: Sequence[str] | None,
    precisions: Sequence[str] | None,
    instances: Sequence[str] | None,
    region: str | None,
    seed: int | None,
    policies: tuple[str, ...],
    settings: dict[str, tuple[str, ...]],
    executor: str,
    workers: int | None,
    no_references: bool,
    folder: str | None,
    format: str,
    output: str | None,
) -> None:
    """Replay traffic for every model size and setting: dollars, violations and lag.

    Without SCENARIO the embedded one runs: a week of office traffic, four model sizes,
    ml.g5.2xlarge, AWS target tracking. --set varies any field (--set policy.target=4,6,8);
    --policy all holds every autoscaler against the same traffic. --format focus writes the bills
    as FOCUS 1.2, a row for each line, marked as estimates.

    In Python: modeler.study.sweep(modeler.scenario.default()).
    """
    from modeler.cli.progress import compiling, shown

    with compiling():
        from modeler.cli.scenario import axes_of, scenario_of
        from modeler.plain import to_csv
        from modeler.report import check_writable, focus_rows, look_of, save_run, sweep_table
        from modeler.study import best_timeline, is_preset, presets_of, sweep

    check_output(output)
    if folder is not None:
        check_writable(folder)
    named = [one for one in policies if is_preset(one) and not os.path.exists(one)]
    files = [one for one in policies if one not in named]
    if named and files:
        raise click.UsageError(
            f"--policy compares policies by name ({named[0]}) or reads one target's files "
            f"({files[0]}), not both",
            ctx,
        )
    presets = presets_of(named)
    scenario = scenario_of(scenario_file, trace=trace, seed=seed, settings=settings, policies=files)
    with shown() as progress:
        result = sweep(
            scenario,
            sizes=sizes,
            precisions=precisions or (),
            settings=axes_of(settings, instances, region),
            presets=presets,
            executor=executor,
            workers=workers,
            references=not no_references,
            progress=progress,
        )
    plain = result.to_dict()
    if folder is not None:
        # The page warns of prices that are old on the day it is written.
        dated = {**plain, "run": {**plain["run"], "as_of_today": date.today().isoformat()}}
        save_run(dated, folder, timeline=best_timeline(result))
        talk(f"wrote {folder}")
    if scenario.hosting.as_of is None:
        rows = [*plain["scenarios"], *plain["references"]]
        tell_old_prices(price for row in rows for price in row["prices"])
    if format == "table":
        to_stdout = output in (None, "-")
        text = sweep_table(plain, **look_of(sys.stdout)) if to_stdout else sweep_table(plain)
        deliver(text, output)
    elif format == "focus":
        deliver(to_csv(focus_rows(plain)), output)
    else:
        emit(plain, format=format, output=output, table=result.rows)
    ctx.exit(
        exits.most_urgent(
            exits.UNAVAILABLE if row["error_kind"] in _UNPRICED else exits.PARTIAL
            for row in result.rows
            if row["status"] != "ok"
        )
    )
