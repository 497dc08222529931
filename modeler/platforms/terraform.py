"""``aws_appautoscaling_*`` and ``aws_sagemaker_endpoint_configuration`` as files of a scenario.

The scaling is written as Application Auto Scaling prints it, so that the one reader of such files
reads it; the scenario names that file as its policy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pricing
from modeler.platforms.composed import SCENARIO, Composed
from modeler.platforms.read import read_policy
from modeler.platforms.terraform_printed import POLICIES, TARGET, printed_of
from modeler.platforms.terraform_read import Module, Resource, Unknown, read_module
from modeler.scenario import Problem, ScenarioError

POLICY: Final = "policy.json"
_CONFIG: Final = "aws_sagemaker_endpoint_configuration"
_MODEL: Final = "aws_sagemaker_model"
_ROUTERS: Final = {"LEAST_OUTSTANDING_REQUESTS": "least_outstanding", "RANDOM": "random"}


def from_terraform(path: str, name: str, region: str | None = None) -> Composed:
    """The scenario of a Terraform configuration, plan or state.

    Parameters
    ----------
    path : str. A folder, a ``.tf`` file, or the JSON of ``terraform show -json`` or of a state.
    name : str. Part of the target's name or a resource's name, where there are several.
    region : str, optional. Instead of the provider's.

    Raises
    ------
    ScenarioError
        Nothing that scales and no endpoint in it, several of them, or a mistake.
    """
    module = read_module(path)
    gaps = list(module.gaps)
    config = _one(module, name, path)
    printed = printed_of(module, gaps)
    if not printed and config is None:
        expected = f"{TARGET}, {POLICIES} or {_CONFIG}"
        message = f"{path} holds no {expected}"
        raise ScenarioError([Problem(message, file=path, expected=expected)])
    files = {POLICY: json.dumps(printed, indent=1) + "\n"} if printed else {}
    asked = region is not None
    module.region = region or module.region
    lines = list(_scenario(path, name, module, config, printed, gaps, asked=asked))
    if printed:
        _check(files[POLICY], name)
    known = [f"# NOT KNOWN: {gap}" for gap in gaps]
    files[SCENARIO] = "\n".join([*lines[:2], *known, *lines[2:]]) + "\n"
    return Composed(files, tuple(gaps))


def _check(policy: str, name: str) -> None:
    """Refuse now what a replay of the scenario would refuse: several targets, say."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / POLICY
        file.write_text(policy, encoding="utf-8")
        try:
            read_policy(file, name)
        except ScenarioError as error:
            problems = [replace(one, file="", line=None, column=None) for one in error.problems]
            raise ScenarioError(problems) from error


def _targets(printed: Mapping[str, Any]) -> int:
    """How many targets there are."""
    every = [one for parts in printed.values() for one in parts]
    return len({one["ResourceId"] for one in every if "ResourceId" in one})


def _one(module: Module, name: str, path: str) -> Resource | None:
    """The endpoint configuration that is meant."""
    found = module.of(_CONFIG)
    fitting = [one for one in found if not name or name in (one.name, _said(module, one, "name"))]
    if len(fitting) > 1:
        choices = ", ".join(one.name for one in fitting)
        message = f"{path} holds {len(fitting)} endpoint configurations: name one of {choices}"
        raise ScenarioError([Problem(message, file=path, expected=f"one of {choices}")])
    return fitting[0] if fitting else found[0] if len(found) == 1 else None


def _said(module: Module, resource: Resource, key: str) -> Any:
    return module.value(resource.body.get(key))


def _scenario(
    path: str,
    name: str,
    module: Module,
    config: Resource | None,
    printed: Mapping[str, Any],
    gaps: list[str],
    *,
    asked: bool,
) -> Iterator[str]:
    gaps.append("the traffic: office-week stands in (assumed); trace: FILE or --trace FILE")
    yield f"# What {path} describes."
    yield "# Written by modeler init --from-terraform; every line says where it is from."
    called = config.name if config is not None else name or "terraform"
    yield f"name: {json.dumps(called)}"
    variant = _variant(module, config)
    serverless = _block(variant.get("serverless_config"))
    yield "hosting:"
    yield from _hosting(module, config, variant, serverless, printed)
    instance = variant.get("instance_type")
    if not serverless and not isinstance(instance, str):
        why = (
            f"it is {instance.expression}"
            if isinstance(instance, Unknown)
            else "no endpoint configuration names one"
        )
        gaps.append(f"the instance type: {why}; the default holds")
    if module.region:
        yield f"  region: {module.region}  # {'asked for' if asked else 'of the provider aws'}"
    else:
        yield "  region: us-east-1  # assumed: the provider does not say"
    _model(module, variant, gaps)
    count = variant.get("initial_instance_count")
    count = count if isinstance(count, int) and count > 0 else None
    yield from _fleet(variant, printed, count)
    if printed:
        yield f"policy:  # what {TARGET} and its like come to, as AWS prints it"
        yield "  kind: file"
        yield f"  path: {POLICY}"
        if name and _targets(printed) > 1:
            yield f"  name: {json.dumps(name)}"
    elif not serverless:
        yield "policy:  # nothing scales it: the instances stay as they are"
        yield "  kind: fixed"
        yield f"  replicas: {count or 1}  # initial_instance_count"


def _variant(module: Module, config: Resource | None) -> dict[str, Any]:
    """The first production variant, references followed; empty without one."""
    found = module.value(config.body.get("production_variants")) if config is not None else None
    return _block(found)


def _block(value: Any) -> dict[str, Any]:
    """A block of one, by whichever form it is kept in."""
    one = value[0] if isinstance(value, list) and value else value
    known = one.items() if isinstance(one, Mapping) else ()
    return {key: item for key, item in known if item not in (None, "", [], {})}


def _hosting(
    module: Module,
    config: Resource | None,
    variant: Mapping[str, Any],
    serverless: Mapping[str, Any],
    printed: Mapping[str, Any],
) -> Iterator[str]:
    at = "" if config is None else f"{config.file}: {config.address}"
    if serverless:
        yield f"  kind: sagemaker_serverless  # {at}: serverless_config"
        for ours, theirs in (("memory_mb", "memory_size_in_mb"),
                             ("max_concurrency", "max_concurrency"),
                             ("provisioned_concurrency", "provisioned_concurrency")):  # fmt: skip
            if isinstance(serverless.get(theirs), int):
                yield f"  {ours}: {serverless[theirs]}  # {at}: {theirs}"
        return
    if config is not None and module.value(config.body.get("async_inference_config")):
        yield f"  kind: sagemaker_async  # {at}: async_inference_config"
    elif not printed:
        yield f"  kind: sagemaker_realtime  # {at}"
    instance = variant.get("instance_type")
    if isinstance(instance, str):
        yield f"  instance: {instance}  # {at}: instance_type"
        yield from _priced(instance, module.region or "us-east-1")


def _priced(instance: str, region: str) -> Iterator[str]:
    """An estimate is asked for, and said, where no price is quoted."""
    try:
        pricing.price(instance, region)
    except pricing.PriceNotFound as error:
        if error.derivable:
            yield "  allow_derived_price: true  # none is quoted here: estimated from EC2's"
    except pricing.PricingError:
        return  # scenario check names it, with the nearest


def _fleet(
    variant: Mapping[str, Any], printed: Mapping[str, Any], count: int | None
) -> Iterator[str]:
    """The first instances within the bounds; managed scaling's bounds where nothing else scales."""
    lines = []
    managed = _block(variant.get("managed_instance_scaling"))
    targets = printed.get("ScalableTargets", ())
    bounds = targets[0] if targets else managed
    least, most = (
        bounds.get("MinCapacity", bounds.get("min_instance_count")),
        bounds.get("MaxCapacity", bounds.get("max_instance_count")),
    )
    if managed and not targets:
        for ours, value in (("min", least), ("max", most)):
            if isinstance(value, int):
                lines.append(f"  {ours}: {value}  # managed_instance_scaling")
    if count is not None and (printed or managed):
        held = max(count, least) if isinstance(least, int) else count
        held = min(held, most) if isinstance(most, int) else held
        moved = "" if held == count else f": {count}, outside of its bounds"
        lines.append(f"  initial: {held}  # initial_instance_count{moved}")
    routing = _block(variant.get("routing_config")).get("routing_strategy")
    if routing in _ROUTERS:
        lines.append(f"  router: {_ROUTERS[routing]}  # routing_config")
    if lines:
        yield "fleet:"
        yield from lines


def _model(module: Module, variant: Mapping[str, Any], gaps: list[str]) -> None:
    """Where the model and the image lie: their sizes are in no configuration."""
    for one in module.of(_MODEL):
        mine = variant.get("model_name") in (None, _said(module, one, "name"), one.name)
        if not mine and len(module.of(_MODEL)) > 1:
            continue
        container = _block(module.value(one.body.get("primary_container")))
        data = container.get("model_data_url")
        if isinstance(data, str):
            gaps.append(f"model.size: modeler size {data} tells it ({one.address})")
        else:
            gaps.append(f"model.size: no model_data_url is known ({one.address})")
        if isinstance(container.get("image"), str):
            gaps.append(f"cold_start.image_size of {container['image']} ({one.address})")
        return
    gaps.append("model.size: the default stands in (assumed)")
