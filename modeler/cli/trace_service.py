"""``modeler trace service``: percentiles of durations become service times."""

from __future__ import annotations

import click

from modeler.cli.output import check_output, deliver, talk


@click.command("service")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--count", type=click.IntRange(min=1), default=10_000, show_default=True, help="How many."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of draws.")
@click.option("--series", metavar="HASH", default=None, help="Only this owner, app or function.")
@click.option("-o", "--output", metavar="FILE", help="File to write, one service time a line. [s]")
def command(
    files: tuple[str, ...], count: int, seed: int, series: str | None, output: str | None
) -> None:
    """Draw service times from FILE, the Azure Functions percentiles of durations.

    FILE is function_durations_percentiles of the dataset of 2019, a row a function and day; several
    add up. Functions are drawn by how often they ran. What is written is what service.kind
    empirical reads: service: {kind: empirical, file: service.txt}.

    In Python: traces.service_times(FILES).
    """
    import traces

    check_output(output)
    found = traces.service_times(files, count, seed, series)
    deliver("".join(f"{value:.9g}\n" for value in found.values_s.tolist()), output)
    mean = float(found.values_s.mean())
    talk(
        f"{count:,} service times of {mean:.4g} s on average, from {found.functions:,} functions "
        f"with {found.calls:,} calls; {found.dropped:,} rows dropped without a call or a duration"
    )
    for note in found.notes:
        talk(note)
