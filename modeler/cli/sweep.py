"""``modeler sweep``: the main job."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from itertools import chain
from typing import Any

import click

from modeler.cli import exits
from modeler.cli.gates import fail_on_option, tell_gates, with_gates
from modeler.cli.ledger import ledger_of, ledger_options
from modeler.cli.options import (
    output_options,
    region_option,
    seed_option,
    set_option,
    size_option,
    split_list,
    trace_option,
)
from modeler.cli.output import check_output, emit, talk, tell_old_prices
from modeler.cli.study_options import replicates_option


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
@fail_on_option
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
@replicates_option("Put a 95 % interval about each headline")
@click.option(
    "--plan",
    "planned",
    is_flag=True,
    help="Replay nothing: say how many scenarios there are, what is known already, and how long "
    "the rest would take.",
)
@click.option(
    "--resume",
    metavar="[RUN]",
    is_flag=False,
    flag_value="latest",
    help="Go on with a run that was stopped: the latest of this very sweep, or RUN.",
)
@ledger_options
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
    fail_on: tuple[str, ...],
    executor: str,
    workers: int | None,
    no_references: bool,
    replicates: int | None,
    planned: bool,
    resume: str | None,
    ledger: str | None,
    no_ledger: bool,
    folder: str | None,
    format: str,
    output: str | None,
) -> None:
    """Replay traffic for every model size and setting: dollars, violations and lag.

    Without SCENARIO the embedded one runs: a week of office traffic, four model sizes,
    ml.g5.2xlarge, AWS target tracking. --set varies any field (--set policy.target=4,6,8);
    --policy all holds every autoscaler against the same traffic. --format focus writes the bills
    as FOCUS 1.2, a row for each line, marked as estimates.

    Each row is kept in a ledger as it is made: a sweep that was stopped goes on with --resume, and
    a row that any earlier run has made from the same engine, prices, traffic and settings is not
    made again. `modeler runs` lists them, and `modeler export latest:best` writes the winner.

    In Python: modeler.study.sweep(modeler.scenario.default()).
    """
    from modeler.cli.progress import compiling, shown

    check_output(output)
    if planned and folder is not None:
        raise click.UsageError(
            "--plan replays nothing and has nothing to write to --out: leave one out (-o FILE "
            "holds the plan)", ctx
        )  # fmt: skip
    with compiling():
        from modeler.cli.scenario import axes_of, scenario_of
        from modeler.cli.sweep_output import print_sweep
        from modeler.report import check_writable, save_run
        from modeler.study import best_timeline, is_preset, plan, presets_of, sweep
        from modeler.study.verdict import best_name

    if folder is not None:
        check_writable(folder)
    if resume is not None and scenario_file is None and os.path.isfile(resume):
        resume, scenario_file = "latest", resume  # --resume FILE: the run's name was left out
    book = ledger_of(ledger, off=no_ledger, needed=resume is not None)
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
    scenario = with_gates(scenario, fail_on)
    asked: dict[str, Any] = {
        "sizes": sizes,
        "precisions": precisions or (),
        "settings": axes_of(settings, instances, region),
        "presets": presets,
        "references": not no_references,
        "replicates": replicates or 0,
        "workers": workers,
        "ledger": book,
    }
    if planned:
        if executor not in ("threads", "processes"):
            raise click.UsageError("--plan foresees threads and processes of this machine", ctx)
        foreseen = plan(scenario, **asked)
        emit(foreseen, format=format, output=output)
        talk(foreseen.sentence())
        return
    with shown() as progress:
        result = sweep(
            scenario, executor=executor, resume=resume, progress=progress, say=talk, **asked
        )
    plain = result.lazy()
    if folder is not None:
        # The page warns of prices that are old on the day it is written.
        dated = {**plain, "run": {**plain["run"], "as_of_today": date.today().isoformat()}}
        save_run(dated, folder, timeline=best_timeline(result))
        talk(f"wrote {folder}")
    if scenario.hosting.as_of is None:
        rows = chain(plain["scenarios"], plain["references"])
        tell_old_prices(price for row in rows for price in row["prices"])
    print_sweep(result, format=format, output=output)
    failed = exits.of_rows(result.rows.brief)
    of = best_name(result.rows.brief) if result.gates else ""
    ctx.exit(exits.most_urgent([failed, tell_gates(result.gates, of=of)]))
