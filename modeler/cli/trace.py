"""``modeler trace``: describe, convert, fit or generate traffic."""

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

import click

from modeler.cli.options import output_options
from modeler.cli.output import check_output, emit, talk, write_atomic
from modeler.cli.trace_service import command as service_command

# The formats are named here and not read from `traces.formats`, so that --help stays quick; a
# test holds the two together.
INPUT_FORMATS: Final = (
    "npz",
    "parquet",
    "azure-llm",
    "azure-functions-2021",
    "azure-functions-2019",
    "burstgpt",
    "servegen",
    "mooncake",
    "qwen",
    "api-gateway",
    "alb",
    "cloudfront",
    "nginx",
    "apache",
    "cloudwatch",
    "cloudwatch-csv",
    "prometheus",
    "vllm",
    "guidellm",
    "llmperf",
    "locust",
    "k6",
    "vegeta",
    "jsonl",
    "counts",
    "timestamps",
)
OUTPUT_FORMATS: Final = ("npz", "parquet", "csv")

_input_format = click.option(
    "--input-format",
    type=click.Choice(INPUT_FORMATS),
    default=None,
    help="Format of FILE, instead of recognising it by its content.",
)
_READING: Final = (
    click.option(
        "--column",
        "columns",
        metavar="ROLE=NAME",
        multiple=True,
        help="Column of a role: arrival, count, rate, counter, prompt_tokens, output_tokens, "
        "service_s or service_ms. May be repeated.",
    ),
    click.option(
        "--time-unit",
        type=click.Choice(["s", "ms", "us", "ns"]),
        default=None,
        help="What a bare number of time is.",
    ),
    click.option(
        "--time-zone",
        metavar="ZONE",
        default=None,
        help="Zone of stamps that state none, as Europe/Berlin.  [default: UTC]",
    ),
    click.option(
        "--bin",
        "bin_s",
        metavar="SECONDS",
        type=float,
        default=None,
        help="Width of an interval, instead of the commonest gap. [s]",
    ),
    click.option(
        "--series",
        metavar="LABEL",
        default=None,
        help="Which of several series, functions or runs in FILE.",
    ),
)
_seed = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of every draw."
)


def _reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How to read a file; the command receives one ``reading`` for `_load`."""

    @functools.wraps(command)
    def with_reading(
        *,
        columns: tuple[str, ...],
        time_unit: str | None,
        time_zone: str | None,
        bin_s: float | None,
        series: str | None,
        **rest: Any,
    ) -> Any:
        roles = {}
        for pair in columns:
            role, mark, name = pair.partition("=")
            if not (role and mark and name):
                raise click.BadParameter(f"{pair!r}: expected ROLE=NAME", param_hint="--column")
            if role in roles:
                raise click.BadParameter(f"{role} is given twice", param_hint="--column")
            roles[role] = name
        reading = {
            "columns": roles,
            "time_unit": time_unit,
            "time_zone": time_zone,
            "bin_s": bin_s,
            "series": series,
        }
        return command(reading=reading, **rest)

    for option in reversed(_READING):
        with_reading = option(with_reading)
    return _input_format(with_reading)


def _file_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--format`` and ``-o`` for traffic itself."""
    command = click.option(
        "-o", "--output", metavar="FILE", default=None, help="File to write in one step."
    )(command)
    return click.option(
        "--format",
        "format",
        type=click.Choice(OUTPUT_FORMATS),
        default=None,
        help="Format to write; by default what FILE ends in, and CSV on stdout.",
    )(command)


@click.group()
def command() -> None:
    """Describe, convert, fit or generate traffic.

    A trace is the name of a sample or a file, plain or gzip, recognised by its content: published
    traces, access logs, metrics of CloudWatch and Prometheus, results of load tests, and CSV, JSON
    lines, Parquet or NPZ of arrivals or of counts per interval.
    """


command.add_command(service_command)


@command.command()
@click.argument("trace", metavar="TRACE")
@_reading_options
@_seed
@output_options()
def describe(
    trace: str,
    input_format: str | None,
    reading: dict[str, Any],
    seed: int,
    format: str,
    output: str | None,
) -> None:
    """Requests, duration, rates, peaks and dispersion of TRACE.

    \b
    modeler trace describe requests.csv.gz
    modeler trace describe office-week --format json
    modeler trace describe calls.csv --column arrival=ts_ms --column output_tokens=out
    """
    import traces

    check_output(output)
    loaded = _load(trace, input_format, reading, seed)
    row = traces.describe(loaded)
    shown = [name for name, value in row.items() if name != "schema" and value is not None]
    emit(row, format=format, output=output, columns=shown)


@command.command()
@click.argument("trace", metavar="TRACE")
@click.argument("target", metavar="[FILE]", required=False)
@_reading_options
@_seed
@_file_options
def convert(
    trace: str,
    target: str | None,
    input_format: str | None,
    reading: dict[str, Any],
    seed: int,
    format: str | None,
    output: str | None,
) -> None:
    """Write TRACE as NPZ, Parquet or CSV, to FILE (or -o FILE) or to stdout.

    \b
    modeler trace convert requests.csv.gz -o requests.npz
    """
    if target is not None and output is not None and target != output:
        raise click.UsageError("give the file once: as FILE or with -o")
    output = target if output is None else output
    check_output(output)
    _save(_load(trace, input_format, reading, seed), format, output)


@command.command()
@click.argument("name", metavar="[LAW]", default="office-week")
@_seed
@click.option(
    "--days", type=float, default=None, help="Length, instead of the sample's own. [days]"
)
@click.option(
    "--mean-rps", type=float, default=None, help="Mean rate, instead of its own. [requests/s]"
)
@_file_options
def generate(
    name: str,
    seed: int,
    days: float | None,
    mean_rps: float | None,
    format: str | None,
    output: str | None,
) -> None:
    """Make traffic by a LAW: a sample's, by default office-week, or a file that trace fit wrote.

    \b
    modeler trace generate office-week --seed 7 -o week.npz
    modeler trace generate --days 1 --mean-rps 10 -o day.csv.gz
    modeler trace generate law.json --days 7 -o week.npz
    """
    import traces

    check_output(output)
    known = name in traces.sample_names() or not os.path.exists(name)
    law = name if known else traces.read_law(name)
    _save(traces.generate(law, seed, days=days, mean_rps=mean_rps), format, output)


@command.command()
@click.argument("trace", metavar="TRACE")
@_reading_options
@_seed
@click.option("--write", "law_file", metavar="FILE", help="Write the law to FILE, as JSON.")
@click.option(
    "--out", "folder", type=click.Path(), metavar="DIR", help="Draw traffic.png and .svg there."
)
@output_options()
def fit(
    trace: str,
    input_format: str | None,
    reading: dict[str, Any],
    seed: int,
    law_file: str | None,
    folder: str | None,
    format: str,
    output: str | None,
) -> None:
    """Fit a law to TRACE and say how well traffic made by it matches.

    The law holds the shape by the hour (of traces of two days and more), factors by which the rate
    wanders, gaps and tokens. Eight traces are made by it and compared: rate, scatter of the gaps,
    dispersion at 1, 10, 60 and 120 s, autocorrelation, peaks, tokens. A scenario's trace: FILE, and
    trace generate FILE, make traffic by it.

    \b
    modeler trace fit requests.csv.gz --write law.json --out figures
    """
    import traces

    check_output(output)
    check_output(law_file)
    loaded = _load(trace, input_format, reading, seed)
    if not isinstance(loaded, traces.Trace):
        raise click.UsageError("fit needs one arrival per request, and this is counts per interval")
    law = traces.fit(loaded)
    rows = [asdict(row) for row in traces.match(loaded, law)]
    if law_file is not None:
        write_atomic(law_file, traces.law_text(law))
    if folder is not None:
        from modeler.report.figures import write_traffic
        from modeler.report.files import whole_folder

        with whole_folder(folder) as scratch:
            write_traffic(loaded, traces.generate(law, seed), scratch)
    result = {"schema": "trace-fit/1", "law": law.model_dump(mode="json"), "match": rows}
    emit(result, format=format, output=output, table=rows)
    wander = ", ".join(f"{one.sigma:.2g} over {one.tau_s:g} s" for one in law.wander)
    talk(f"gaps: {law.gaps.law}, cv {law.gaps.cv:g}; the rate wanders by {wander or 'nothing'}")
    if law_file is not None:
        talk(f"wrote {law_file}: trace: {law_file}")
    if folder is not None:
        talk(f"wrote {folder}/traffic.png and .svg")


@command.command()
@click.argument("trace", metavar="TRACE")
@_reading_options
@_seed
@click.option(
    "--from", "from_s", metavar="TIME", help="Begin there, as 2h or 90m; since the start."
)
@click.option("--until", "until_s", metavar="TIME", help="End before that.")
@click.option(
    "--jitter",
    "jitter_s",
    metavar="TIME",
    help="Move each request by up to that, as 3s: stamps that a recorder rounded.",
)
@click.option("--warp", type=float, metavar="X", help="Multiply every gap: 0.5 is twice as fast.")
@click.option("--scale", type=float, metavar="X", help="So many times the requests, as bursty.")
@click.option("--days", type=click.IntRange(min=1), help="So many days, drawn from its own.")
@click.option(
    "--add", multiple=True, metavar="TRACE", help="Traffic to superpose; may be repeated."
)
@_file_options
def transform(
    trace: str,
    input_format: str | None,
    reading: dict[str, Any],
    seed: int,
    from_s: str | None,
    until_s: str | None,
    jitter_s: str | None,
    warp: float | None,
    scale: float | None,
    days: int | None,
    add: tuple[str, ...],
    format: str | None,
    output: str | None,
) -> None:
    """Make other traffic of TRACE: a part, spread, slower, more or less, days again, together.

    What is asked for is done in that order. More requests are whole copies, the first in its place
    and the others anywhere in their minute; fewer are each kept with a probability.

    \b
    modeler trace transform requests.csv.gz --from 8h --until 20h --scale 2 -o rush.npz
    modeler trace transform month.npz --days 90 --seed 7 -o quarter.npz
    """
    import traces
    from traces import transform as of

    check_output(output)
    made = _load(trace, input_format, reading, seed)
    others = [_load(one, None, {}, seed) for one in add]
    if not all(isinstance(one, traces.Trace) for one in (made, *others)):
        raise click.UsageError(
            "transform needs one arrival per request, and this is counts per interval: write its "
            "arrivals first, with modeler trace convert TRACE -o FILE.csv"
        )
    if from_s is not None or until_s is not None:
        made = of.part(made, _seconds(from_s, 0.0), _seconds(until_s, float("inf")))
    if jitter_s is not None:
        made = of.jitter(made, _seconds(jitter_s, 0.0), seed)
    if warp is not None:
        made = of.warp(made, warp)
    if scale is not None:
        made = of.scale(made, scale, seed)
    if days is not None:
        made = of.bootstrap_days(made, days, seed)
    if others:
        made = of.superpose([made, *others])
    _save(made, format, output)


def _seconds(text: str | None, otherwise: float) -> float:
    from modeler.scenario import UnitError
    from modeler.scenario.units import parse_duration

    if text is None:
        return otherwise
    try:
        return parse_duration(text)
    except UnitError as error:
        raise click.BadParameter(str(error)) from error


def _load(trace: str, input_format: str | None, reading: dict[str, Any], seed: int) -> Any:
    """The traffic; how it was read is told on stderr."""
    import traces

    if input_format or any(reading.values()):
        loaded = traces.read(trace, input_format, traces.Options(**reading))
    else:
        loaded = traces.load(trace, seed)
    talk(str(loaded.report) if loaded.report else loaded.source)
    return loaded


def _save(trace: Any, format: str | None, output: str | None) -> None:
    from traces import convert as writer

    if output not in (None, "-"):
        writer.write(trace, output, format)
        requests = "1 request" if trace.requests == 1 else f"{trace.requests:,} requests"
        talk(f"{output}: {requests} in {trace.duration_s:,.0f} s")
        return
    if format not in (None, "csv") and sys.stdout.isatty():
        raise click.UsageError(f"format {format} is binary: give a file with -o FILE, or a pipe")
    try:
        writer.write_to(sys.stdout.buffer, trace, format or "csv")
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough; the interpreter's last flush would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
