"""Manifests of Kubernetes as files of a scenario: the policy as it is, and what runs beneath it.

The policy stays in its file, which the scenario names; of the workload that it scales the first
replicas, the machine and the model are read, as far as the manifest tells them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pricing
from modeler.platforms.composed import SCENARIO, Composed
from modeler.platforms.document import Part, documents
from modeler.platforms.read import read_policy
from modeler.platforms.result import PolicyFile
from modeler.scenario import Problem, ScenarioError

_WORKLOADS: Final = ("Deployment", "StatefulSet", "ReplicaSet", "Rollout")
_INSTANCE_LABELS: Final = (
    "node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type",
)  # fmt: skip
_ACCELERATORS: Final = ("nvidia.com/gpu", "aws.amazon.com/neuron", "amd.com/gpu")
_NO_POLICY: Final = "is no policy, left out"
# What a file is said to be: the policy it gives, and what it is called.
PLATFORMS: Final = {
    "hpa": ("hpa", "HorizontalPodAutoscaler"),
    "keda": ("keda", "KEDA ScaledObject"),
    "knative": ("knative_kpa", "Knative Service"),
}


@dataclass(frozen=True)
class _Told:
    """A value and the line that tells it."""

    value: Any
    line: int


def from_manifest(path: str, name: str, platform: str, region: str | None = None) -> Composed:
    """The scenario of a manifest.

    Parameters
    ----------
    path : str. YAML or JSON, several documents or a List; with the workload beside the policy it
        says more.
    name : str. Which policy, where there are several; empty for the only one.
    platform : str. A key of `PLATFORMS`: what the file is said to be.
    region : str, optional. Where it runs, which a manifest does not say.

    Raises
    ------
    ScenarioError
        The file cannot be read, holds no such policy or a mistake; with line and column.
    """
    found = read_policy(path, name)
    kind, called = PLATFORMS[platform]
    if not any(policy["kind"] == kind for policy in found.policies):
        message = f"{path} holds {found.title or 'another policy'}: expected a {called}"
        raise ScenarioError([Problem(message, file=path, expected=f"a {called}")])
    parts = documents(path)
    told = _workload(parts, found)
    policy = Path(path).name
    if policy == SCENARIO:
        policy = "policy.yaml"
    lines = list(_scenario(path, name, policy, found, told, region))
    text = "\n".join(lines) + "\n"
    gaps = tuple(line.removeprefix("# NOT KNOWN: ") for line in lines if "# NOT KNOWN: " in line)
    return Composed({policy: Path(path).read_text(encoding="utf-8"), SCENARIO: text}, gaps)


def _scenario(
    path: str,
    name: str,
    policy: str,
    found: PolicyFile,
    told: dict[str, _Told],
    region: str | None,
) -> Iterator[str]:
    file = Path(path).name

    def at(key: str) -> str:
        return f"{file} line {told[key].line}"

    yield f"# {found.title}, as {file} has it."
    yield "# Written by modeler init; every line says where it is from."
    for note in found.notes:
        if not note.endswith(_NO_POLICY):
            yield f"# {note.replace(path, file, 1)}"
    title = found.title.partition(" ")[2] or found.title
    yield f"name: {json.dumps(title)}  # of the object"
    yield "# NOT KNOWN: the traffic: office-week stands in (assumed); trace: FILE or --trace FILE"
    yield from _model(told, at)
    yield "hosting:"
    yield f"  kind: {found.hosting}  # assumed: Karpenter or another kind may bring the nodes"
    if "instance" in told:
        yield f"  instance: {told['instance'].value}  # {at('instance')}"
    else:
        yield f"# NOT KNOWN: the instance type: {_no_instance(told, at)}; the default holds"
    if region is not None:
        yield f"  region: {region}  # asked for"
    else:
        yield "  region: us-east-1  # assumed: a manifest does not say"
    if "replicas" in told:
        count = told["replicas"].value
        # The policy brings a workload within its bounds at once.
        least, most = (found.others.get(f"fleet.{end}") for end in ("min", "max"))
        held = count if least is None else max(count, least)
        held = held if most is None else min(held, most)
        moved = "" if held == count else f": {count}, outside of the policy's bounds"
        yield "fleet:"
        yield f"  initial: {held}  # {at('replicas')}, replicas of the workload{moved}"
    if "image" in told:
        yield f"# NOT KNOWN: cold_start.image_size of {told['image'].value} ({at('image')})"
    for key, value in found.others.items():
        node = found.place_of(key)
        where = f" line {node.start_mark.line + 1}" if node is not None else ", its default"
        yield f"# {key} is {value}: {file}{where}"
    yield f"policy:  # as the platform reads it, from {file}"
    yield "  kind: file"
    yield f"  path: {policy}"
    if name:
        yield f"  name: {json.dumps(name)}"


def _no_instance(told: dict[str, _Told], at: Any) -> str:
    """Why no instance type is known."""
    if "stranger" in told:
        return f"no figures are held of {told['stranger'].value} ({at('stranger')})"
    wanted = f" for {told['gpus'].value} accelerators a pod" if "gpus" in told else ""
    return f"no node selector or affinity names one{wanted}"


def _model(told: dict[str, _Told], at: Any) -> Iterator[str]:
    """The bytes of a published model that the workload's arguments name."""
    from modeler.predict.known import known
    from modeler.predict.precision import precision

    named = told.get("model")
    if named is None:
        yield "# NOT KNOWN: model.size: the default stands in (assumed); modeler size counts it"
        return
    kind = str(told["quantisation"].value) if "quantisation" in told else ""
    try:
        architecture = known(str(named.value))
        size = round(precision(kind or architecture.dtype).memory_bytes(architecture))
    except (LookupError, ValueError) as error:
        yield f"# NOT KNOWN: model.size of {named.value} ({at('model')}): {error}"
        return
    yield "model:"
    said = f"{named.value} in {kind or architecture.dtype}, counted"
    yield f"  size: {size}B  # {at('model')}: {said}"


def _workload(parts: Sequence[Part], found: PolicyFile) -> dict[str, _Told]:
    """What the workload beneath the policy says; of several the one that the policy names."""
    target = _target(parts, found)
    kinds = (*_WORKLOADS, "Service")
    pods = [
        part
        for part in parts
        if part.get("kind") in kinds and "template" in part.part("spec")
        and (not target or part.part("metadata").get("name") == target)
    ]  # fmt: skip
    if not pods:
        return {}
    spec = pods[0].part("spec")
    told: dict[str, _Told] = {}
    if isinstance(spec.get("replicas"), int):
        told["replicas"] = _Told(spec.get("replicas"), _line(spec, "replicas"))
    pod = spec.part("template").part("spec")
    selector = pod.part("nodeSelector")
    for label in _INSTANCE_LABELS:
        if label in selector:
            told.setdefault("instance", _Told(selector.get(label), _line(selector, label)))
    for term in _terms(pod):
        told.setdefault("instance", term)
    if "instance" in told and not _is_known(str(told["instance"].value)):
        told["stranger"] = told.pop("instance")
    for container in pod.parts("containers")[:1]:
        _container(container, told)
    return told


def _target(parts: Sequence[Part], found: PolicyFile) -> str:
    """The name of what the policy scales; a Knative Service is its own workload."""
    kind, _, name = found.title.partition(" ")
    for part in parts:
        if part.get("kind") == kind and part.part("metadata").get("name", "") == name:
            reference = part.part("spec").part("scaleTargetRef")
            return str(reference.get("name", "" if kind != "Service" else name))
    return ""


def _terms(pod: Part) -> Iterator[_Told]:
    """Instance types of a required affinity: the first of each list."""
    required = (
        pod.part("affinity")
        .part("nodeAffinity")
        .part("requiredDuringSchedulingIgnoredDuringExecution")
    )
    for term in required.parts("nodeSelectorTerms"):
        for match in term.parts("matchExpressions"):
            values = match.get("values")
            values = values if isinstance(values, list) else []
            if match.get("key") in _INSTANCE_LABELS and match.get("operator") == "In" and values:
                yield _Told(values[0], _line(match, "values"))


def _container(container: Part, told: dict[str, _Told]) -> None:
    if "image" in container:
        told["image"] = _Told(container.get("image"), _line(container, "image"))
    for side in ("limits", "requests"):
        asked = container.part("resources").part(side)
        for name in _ACCELERATORS:
            if name in asked:
                told.setdefault("gpus", _Told(asked.get(name), _line(asked, name)))
    lists = [container.get(key) for key in ("command", "args")]
    words = [str(word) for each in lists if isinstance(each, list) for word in each]
    line = _line(container, "args" if "args" in container else "command")
    for i, word in enumerate(words):
        flag, equals, value = word.partition("=")
        key = _FLAGS.get(flag)
        if key is not None and (equals or i + 1 < len(words)):
            told.setdefault(key, _Told(value if equals else words[i + 1], line))


# Of vLLM, SGLang and TGI; `vllm serve MODEL` takes the model as a word of its own.
_FLAGS: Final = {
    "--model": "model", "--model-path": "model", "--model-id": "model", "serve": "model",
    "--quantization": "quantisation", "--quantize": "quantisation",
}  # fmt: skip


def _is_known(instance_type: str) -> bool:
    try:
        pricing.instance(instance_type)
    except pricing.PricingError:
        return False
    return True


def _line(part: Part, key: str) -> int:
    return int(part.node_of(key).start_mark.line) + 1
