"""``modeler size``: bytes of a model, and what follows from them."""

import math
import os
from collections.abc import Sequence
from typing import Any, Final

import click

from modeler.cli.exits import GATE
from modeler.cli.options import output_options, region_option
from modeler.cli.output import check_output, emit, talk


@click.command()
@click.argument("source")
@click.option(
    "--dtype",
    type=click.Choice(["fp32", "fp16", "bf16", "fp8", "int8", "int4"]),
    default=None,
    help="Precision of the weights: of a description instead of its own, else where no header "
    "tells it; fp16 without it.",
)
@click.option(
    "--context",
    type=click.IntRange(min=1),
    help="Of a config.json: which instances hold it with sequences of so many tokens.",
)
@click.option(
    "--sequences",
    type=click.IntRange(min=1),
    default=None,
    help="Sequences at once, for --context.  [default: 1]",
)
@click.option(
    "--precisions",
    "every_precision",
    is_flag=True,
    help="Of a description: bytes, arithmetic and load in every precision.",
)
@click.option(
    "--instance",
    metavar="TYPE",
    help="Latencies on its accelerators, for --precisions of a decoder.",
)
@region_option
@click.option("--profile", metavar="NAME", help="AWS profile, for s3:// sources.")
@click.option("--endpoint-url", metavar="URL", help="Another S3 endpoint than AWS's own.")
@output_options()
def command(
    source: str,
    dtype: str | None,
    context: int | None,
    sequences: int | None,
    every_precision: bool,
    instance: str | None,
    region: str | None,
    profile: str | None,
    endpoint_url: str | None,
    format: str,
    output: str | None,
) -> None:
    """Bytes of a model: a literal (13.5GB), a description, a file, a folder or s3://bucket/key.

    A description is a config.json of transformers, or JSON or YAML of layers ({"type": "mlp",
    "layers": [57, 512, 3]}, or a list of layers, or of widths), of trees ({"lib": "xgboost",
    "n_features": 30, "params": {"n_estimators": 200, "max_depth": 6}}) or of a linear model
    ({"lib": "sklearn", "cls": "LogisticRegression", "n_features": 100, "n_classes": 3}). Pruned
    dense layers have a density and a storage: dense, csr or 2:4. A file that is not what its
    suffix promises is refused.

    Weights are not loaded: the headers of safetensors, GGUF, PyTorch, ONNX, npz, SavedModel, Keras,
    XGBoost, LightGBM and tar archives say what they hold, in S3 by ranged requests. A key of S3 is
    the object of that name, or else everything under it. Parameters are counted where the headers
    or the description tell, and are else the weight bytes over the bytes per parameter of --dtype.
    """
    from modeler.predict.size import measure_size

    check_output(output)
    _check_together(
        source,
        {
            "--context": context is not None,
            "--precisions": every_precision,
            "--dtype": dtype is not None,
            "--sequences": sequences is not None,
            "--instance": instance is not None,
            "--profile": profile is not None,
            "--endpoint-url": endpoint_url is not None,
        },
    )
    if context is not None:
        _holders(source, dtype, context, sequences or 1, region or "us-east-1", format, output)
        return
    if every_precision:
        _precisions(source, instance, format, output)
        return
    report = measure_size(source, region, profile, endpoint_url, dtype=dtype).to_dict()
    notes: Any = report["notes"]
    if format == "table":
        for note in notes:
            talk(f"note: {note}")
        emit({key: value for key, value in report.items() if key != "notes"}, output=output)
    else:
        emit(report, format=format, output=output)


# Options that say nothing without another, and those that ask for different tables.
_NEEDS: Final = (("--sequences", "--context"), ("--instance", "--precisions"))
_APART: Final = (("--context", "--precisions"), ("--dtype", "--precisions"))


def _check_together(source: str, given: dict[str, bool]) -> None:
    """Refuse options that would be ignored."""
    problems = [f"{one} needs {other}" for one, other in _NEEDS if given[one] and not given[other]]
    problems += [
        f"{one} and {other} ask for different things: give one of them"
        for one, other in _APART
        if given[one] and given[other]
    ]
    if not source.startswith("s3://"):
        problems += [
            f"{name} is for s3:// sources, and {source} is none"
            for name in ("--profile", "--endpoint-url")
            if given[name]
        ]
    if problems:
        raise click.UsageError("; ".join(problems))


def _precisions(source: str, instance: str | None, format: str, output: str | None) -> None:
    """A described model in every precision."""
    from modeler.predict.architecture import Architecture, read_description
    from modeler.predict.precision_table import in_every_precision

    found = read_description(source) if os.path.isfile(source) else None
    if not isinstance(found, Architecture):
        raise click.UsageError(
            f"--precisions needs a description of layers or a config.json: {source} is none"
        )
    rows = [row.to_dict() for row in in_every_precision(found, instance)]
    report = {"schema": "precisions/1", "source": source, "instance": instance, "precisions": rows}
    shown = [
        {
            "bits": f"{row['bits']:.4g}",
            "GB": f"{row['weight_bytes'] / 1e9:.3g}",
            "load, of 16 bit": f"{row['load_share']:.2f}",
            "products in": f"{row['maths']}{', expanded' if row['expanded'] else ''}",
            "decode ms": _ms(row["decode_s"]),
            "decode ms, 64": _ms(row["decode_large_s"]),
            "prefill ms, 1000": _ms(row["prefill_s"]),
        }
        for row in rows
    ]
    named = [row["precision"] for row in rows]
    table = _together(named, shown) if format == "table" else rows
    emit(report, format=format, output=output, table=table)
    lacking: dict[str, list[str]] = {}
    for row in rows:
        if row["why"]:
            lacking.setdefault(row["why"], []).append(row["precision"])
    for why, names in lacking.items():
        few = names if len(names) <= _NAMED else [*names[:_NAMED], f"{len(names) - _NAMED} more"]
        talk(f"no latency of {', '.join(few)}: {why}")


_NAMED: Final = 6


def _together(names: Sequence[str], rows: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Rows that say the same as one, under all their names."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name, row in zip(names, rows, strict=True):
        found.setdefault(tuple(row.values()), []).append(name)
    return [
        {"precision": ", ".join(same), **dict(zip(rows[0], values, strict=True))}
        for values, same in found.items()
    ]


def _count(tokens: float) -> str:
    return "no limit" if math.isinf(tokens) else f"{tokens:,.0f}"


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1e3 * seconds:.4g}"


def _holders(
    source: str,
    dtype: str | None,
    context: int,
    sequences: int,
    region: str,
    format: str,
    output: str | None,
) -> None:
    """Instances that can serve a described model, the cheapest named."""
    from modeler.predict.architecture import Architecture, read_description
    from modeler.predict.serving_fit import cheapest, holders

    found = read_description(source) if os.path.isfile(source) else None
    if not isinstance(found, Architecture) or found.attention is None:
        raise click.UsageError(
            f"--context needs a config.json, or layers of type transformer_decoder: {source} does "
            "not describe a decoder"
        )
    kind = dtype or found.dtype
    for note in found.notes:
        talk(f"note: {note}")
    if found.positions and context > found.positions:
        talk(
            f"warning: {context:,} tokens are more than the {found.positions:,} of its "
            "max_position_embeddings: served only with scaled positions"
        )
    fitting = holders(found, kind, context=context, sequences=sequences, region=region)
    best = cheapest(fitting)
    rows = [holder.to_dict() for holder in fitting]
    report = {
        "schema": "fit/1",
        "source": source,
        "dtype": kind,
        "context": context,
        "sequences": sequences,
        "region": region,
        "smallest": fitting[0].instance_type if fitting else None,
        "cheapest": None if best is None else best.instance_type,
        "instances": rows,
    }
    shown = [
        {
            "instance": row["instance_type"],
            "accelerator": row["accelerator"],
            "tensor parallel": row["tensor_parallel"],
            "copies": row["copies"],
            "needs GB a device": f"{row['need_bytes'] / 1e9:.1f}",
            "of GB": f"{row['room_bytes'] / 1e9:.1f}",
            "tokens of cache": _count(row["cache_tokens"]),
            "$/h": "-" if row["usd_per_hour"] is None else f"{row['usd_per_hour']:.2f}",
        }
        for row in rows
    ]
    emit(report, format=format, output=output, table=shown if format == "table" else rows)
    if not fitting:
        talk(
            f"no instance holds {source} in {kind} with {sequences} x {context:,} tokens: take a "
            "shorter context, fewer sequences or a smaller precision"
        )
        raise click.exceptions.Exit(GATE)
    if best is not None:
        talk(
            f"smallest: {fitting[0].instance_type}; cheapest in {region}: {best.instance_type} at "
            f"${best.usd_per_hour:,.2f} an hour"
        )
