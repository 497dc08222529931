"""``modeler accuracy``: accuracy against size of published models, and its diminishing returns."""

from __future__ import annotations

import click

from modeler.cli.options import output_options
from modeler.cli.output import check_output, emit, talk

_MILLION = 1e6


@click.command("accuracy")
@click.argument("benchmark", default="ImageNet-1K acc@1")
@click.option(
    "--out", "folder", type=click.Path(), metavar="DIR", help="Draw accuracy.png and .svg there."
)
@output_options()
def command(benchmark: str, folder: str | None, format: str, output: str | None) -> None:
    """Show how accuracy grows with size among published models, and by how much less each time.

    BENCHMARK is one of the catalogue's, ImageNet-1K acc@1 when left out. Prints the models that no
    smaller one reaches, the law fitted to them, by how much it misses each when fitted without it,
    and what a doubling of the parameters brings: gain_extrapolated where twice the parameters are
    more than any of these models has, so that the law alone says it. It describes published models:
    the accuracy of a variant is never computed.

    In Python: modeler.predict.accuracy.accuracy_curve(BENCHMARK).
    """
    from modeler.predict.accuracy import accuracy_curve, benchmarks

    check_output(output)
    curve = accuracy_curve(benchmark)
    rows = [
        {
            "model": one.name,
            "parameters": one.parameters,
            "accuracy": one.accuracy,
            "law": round(curve.at(float(one.parameters or 0)), 2),
            "gain_per_doubling": round(curve.gain_per_doubling(float(one.parameters or 0)), 3),
            "gain_extrapolated": curve.extrapolates(float(one.parameters or 0)),
            "source": one.source,
        }
        for one in curve.frontier
    ]
    report = {
        "schema": "accuracy/1",
        "benchmark": curve.benchmark,
        "models": curve.models,
        "law": {"top": curve.top, "scale": curve.scale, "power": curve.power},
        "spread": curve.spread,
        "frontier": rows,
        "benchmarks": benchmarks(),
    }
    if folder is not None:
        from modeler.report.figures import write_accuracy
        from modeler.report.files import whole_folder

        with whole_folder(folder) as scratch:
            write_accuracy(curve, scratch)
    emit(report, format=format, output=output, table=rows)
    smallest, largest = (float(one.parameters or 0) for one in curve.frontier[:: len(rows) - 1])
    talk(
        f"{curve.benchmark}: {curve.top:.1f} - {curve.scale:.3g} N^-{curve.power:.2f} over "
        f"{len(rows)} of {curve.models} models, missed by {curve.spread:.1f} points without the "
        f"row. A doubling brings {curve.gain_per_doubling(smallest):.1f} points at "
        f"{smallest / _MILLION:.3g} million parameters and "
        f"{curve.gain_per_doubling(largest / 2.0):.2f} at {largest / 2.0 / _MILLION:.3g} million."
    )
    if folder is not None:
        talk(f"wrote {folder}/accuracy.png and .svg")
