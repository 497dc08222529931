"""What does not go with replicas that batch continuously is refused, each at its own key."""

from __future__ import annotations

import pytest

from modeler.scenario import ScenarioError, loads

BATCHED = "service: {kind: batched}\n"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("hosting: {kind: lambda}\n", "serves one request at a time"),
        ("fleet: {slots: 300}\n", "no room for a token of each of the fleet.slots = 300"),
        ("queue: {retries: 2, retry_client_timeouts: true}\n", "retry_client_timeouts = true"),
        (
            "hosting: {kind: eks_karpenter, instance: g5.2xlarge, nodes: {kind: karpenter}}\n",
            "hosting.nodes.kind = karpenter: not with service.kind batched",
        ),
        (
            "hosting: {kind: ec2_asg, instance: g5.2xlarge, purchase: spot}\n"
            "weather: [{kind: spot_reclaim}]\n",
            "spot_reclaim is not replayed with service.kind batched",
        ),
    ],
)
def test_refused(more, said):
    text = BATCHED + more
    if "slots" in more:
        text = text.replace("{kind: batched}", "{kind: batched, batched_tokens: 256}")
    with pytest.raises(ScenarioError) as caught:
        loads(text)
    assert said in str(caught.value)


def test_a_missing_file_is_named():
    with pytest.raises(ScenarioError, match="service.profile: there is no file"):
        loads("service: {kind: batched, profile: steps.csv}\n")
    with pytest.raises(ScenarioError, match="service.architecture: there is no file"):
        loads("service: {kind: batched, architecture: config.json}\n")
    assert loads("service: {kind: batched, architecture: Llama-3.1-8B}\n").service.architecture
