"""``modeler size``: bytes of a model, and what follows from them."""

from typing import Any

import click

from modeler.cli.options import output_options, region_option
from modeler.cli.output import check_output, emit, talk


@click.command()
@click.argument("source")
@click.option(
    "--dtype",
    type=click.Choice(["fp32", "fp16", "bf16", "fp8", "int8", "int4"]),
    default=None,
    help="Precision the weights are stored in, where their headers do not tell; fp16 without it.",
)
@region_option
@click.option("--profile", metavar="NAME", help="AWS profile, for s3:// sources.")
@click.option("--endpoint-url", metavar="URL", help="Another S3 endpoint than AWS's own.")
@output_options()
def command(
    source: str,
    dtype: str | None,
    region: str | None,
    profile: str | None,
    endpoint_url: str | None,
    format: str,
    output: str | None,
) -> None:
    """Bytes of a model: a literal (13.5GB), a config.json, a file, a folder or s3://bucket/key.

    Weights are not loaded: the headers of safetensors, GGUF, PyTorch, ONNX, npz, XGBoost, LightGBM
    and tar archives say what they hold, in S3 by ranged requests. A key of S3 is the object of
    that name, or else everything under it. Parameters are counted where the headers or the
    configuration tell, and are else the weight bytes over the bytes per parameter of --dtype.
    """
    from modeler.predict.size import measure_size

    check_output(output)
    report = measure_size(source, region, profile, endpoint_url, dtype=dtype).to_dict()
    notes: Any = report["notes"]
    if format == "table":
        for note in notes:
            talk(f"note: {note}")
        emit({key: value for key, value in report.items() if key != "notes"}, output=output)
    else:
        emit(report, format=format, output=output)
