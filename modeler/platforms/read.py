"""Find out what a policy file is, and read the one policy that is meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from modeler.platforms.aws import ALONE, read_targets
from modeler.platforms.cloudformation import is_template, printed
from modeler.platforms.document import Part, documents
from modeler.platforms.keda import read_scaled_object
from modeler.platforms.knative import read_service
from modeler.platforms.kubernetes import read_hpa
from modeler.platforms.result import PolicyFile
from modeler.platforms.terraform_printed import terraform_documents
from modeler.scenario import Problem, ScenarioError

_AWS_KEYS: Final = (
    "ScalingPolicies", "ScalableTargets", "ScheduledActions", "ScheduledUpdateGroupActions",
    "AutoScalingGroups", *ALONE,
)  # fmt: skip
_EXPECTED: Final = (
    "a HorizontalPodAutoscaler, a KEDA ScaledObject, a Knative Service or its config-autoscaler, "
    "a CloudFormation template that scales something, a .tf file, or what "
    "describe-scaling-policies, describe-scalable-targets or describe-scheduled-actions print"
)


def read_policy(file: str | Path, name: str = "") -> PolicyFile:
    """Read a platform's own policy file.

    Parameters
    ----------
    file : path. YAML or JSON: a Kubernetes HorizontalPodAutoscaler (autoscaling/v2 or v1), a KEDA
        ScaledObject, a Knative Service, its ConfigMap ``config-autoscaler`` or both, several
        documents or a List of them; JSON of Application Auto Scaling or EC2 Auto Scaling; or a
        CloudFormation template, YAML or JSON, with scalable targets and their policies. A ``.tf``
        file, or a folder of them, is read as what it comes to.
    name : str. Which of several: the name of the object, or a part of the target's.

    Returns
    -------
    PolicyFile
        Its ``settings`` are a scenario's; its ``notes`` say what is read and not modelled.

    Raises
    ------
    ScenarioError : every mistake with its line and column; or the choices, where there are several.
    """
    terraform = Path(file).suffix == ".tf" or Path(file).is_dir()
    written = terraform_documents(file) if terraform else documents(file)
    found = [_known(part) for part in written]
    source = found[0][0].source
    knative = {kind: part for part, kind in found if kind in ("service", "config")}
    readers: list[tuple[str, Callable[[], PolicyFile]]] = []
    for part, kind in found:
        if kind == "hpa":
            readers.append((_name(part), lambda part=part: read_hpa(part)))  # type: ignore[misc]
        elif kind == "keda":
            readers.append(
                (_name(part), lambda part=part: read_scaled_object(part))  # type: ignore[misc]
            )
        elif kind == "aws":
            readers.append(("", lambda part=part: read_targets(part, name)))  # type: ignore[misc]
        elif kind == "service" or (kind == "config" and "service" not in knative):
            service = part if kind == "service" else None
            readers.append(
                (
                    _name(part),
                    lambda service=service: read_service(  # type: ignore[misc]
                        service, knative.get("config")
                    ),
                )
            )
        elif kind == "":
            what = f"{part.get('kind', 'a document')} {_name(part)}".rstrip()
            part.leave_out(what, "is no policy")
    result = _one(file, source.located, found[0][0], readers, name)()
    for part, kind in found:
        if kind:
            part.say_unread()
    if source.problems:
        raise ScenarioError(source.problems)
    return result


def _known(part: Part) -> tuple[Part, str]:
    """A document and what it is; a template as what the command line prints of it."""
    return (printed(part), "aws") if is_template(part) else (part, _kind(part))


def _kind(part: Part) -> str:
    """What a document is; empty for something else."""
    kind, version = str(part.get("kind", "")), str(part.get("apiVersion", ""))
    if kind == "HorizontalPodAutoscaler":
        return "hpa"
    if kind == "ScaledObject":
        return "keda"
    if kind == "Service" and version.startswith("serving.knative.dev/"):
        return "service"
    if kind == "ConfigMap" and _name(part) == "config-autoscaler":
        return "config"
    return "aws" if any(key in part for key in _AWS_KEYS) else ""


def _name(part: Part) -> str:
    return str(part.part("metadata").get("name", "")) if "metadata" in part else ""


def _one(
    file: str | Path,
    located: Callable[..., Problem],
    first: Part,
    readers: Sequence[tuple[str, Callable[[], PolicyFile]]],
    name: str,
) -> Callable[[], PolicyFile]:
    """The one policy that is meant."""
    if not readers:
        problem = Problem(f"no policy that is known: expected {_EXPECTED}", expected=_EXPECTED)
        raise ScenarioError([located(problem, first.node)])
    fitting = [reader for called, reader in readers if not called or not name or called == name]
    if len(fitting) == 1:
        return fitting[0]
    choices = [called for called, _ in readers if called]
    expected = f"one of {', '.join(choices)}"
    if fitting:
        message = f"{file} holds {len(fitting)} policies: name {expected}, as {file}#{choices[0]}"
    else:
        message = f'{file} holds no policy called "{name}": name {expected}'
    raise ScenarioError([Problem(message, value=name, expected=expected, file=str(file))])
