"""Hardware against published figures, in SI units."""

import pytest

from pricing import SpecNotFound, UnknownInstance, accelerator, instance, instance_types

GIB = 2**30
HARDWARE = (
    "vcpu",
    "memory_bytes",
    "accelerator",
    "accelerator_count",
    "accelerator_memory_bytes",
    "network_burst_bytes_per_s",
)


def test_the_default_instance():
    # EC2 instance type page: 8 vCPU, 32 GiB, one A10G of 24 GB, 450 GB NVMe, up to 10 Gbit/s with
    # 5 sustained; EBS 850 Mbit/s sustained, 3,500 at most.
    spec = instance("ml.g5.2xlarge")
    assert (spec.vcpu, spec.memory_bytes, spec.arch) == (8, 32 * GIB, "amd64")
    assert (spec.accelerator, spec.accelerator_count) == ("A10G", 1)
    # 0.1 %: the table holds GiB to two decimals.
    assert spec.accelerator_memory_bytes == pytest.approx(24e9, rel=1e-3)
    assert spec.nvme_bytes == pytest.approx(450e9, rel=1e-3)
    assert spec.network_baseline_bytes_per_s == 5e9 / 8
    assert spec.network_burst_bytes_per_s == 10e9 / 8
    assert spec.ebs_baseline_bytes_per_s == 850e6 / 8
    assert spec.ebs_max_bytes_per_s == 3500e6 / 8
    assert spec.source


def test_hosting_has_the_hardware_of_its_ec2_type():
    hosted, bare = instance("ml.g4dn.12xlarge"), instance("g4dn.12xlarge")
    assert hosted.instance_type == "ml.g4dn.12xlarge"
    for name in HARDWARE:
        assert getattr(hosted, name) == getattr(bare, name)


def test_a_cpu_host_has_no_accelerator():
    spec = instance("m5.large")
    assert (spec.accelerator, spec.accelerator_count, spec.accelerator_memory_bytes) == (None, 0, 0)
    assert spec.nvme_bytes == 0


@pytest.mark.parametrize(
    ("instance_type", "name", "count"),
    [
        ("g4dn.xlarge", "T4", 1),
        ("g4dn.12xlarge", "T4", 4),
        ("g5.48xlarge", "A10G", 8),
        ("g6.xlarge", "L4", 1),
        ("gr6.4xlarge", "L4", 1),
        ("g6e.12xlarge", "L40S", 4),
        ("p3dn.24xlarge", "V100-SXM2-32GB", 8),
        ("p4d.24xlarge", "A100-SXM-40GB", 8),
        ("p4de.24xlarge", "A100-SXM-80GB", 8),
        ("p5.48xlarge", "H100-SXM-80GB", 8),
        ("p5.4xlarge", "H100-SXM-80GB", 1),
        ("p5e.48xlarge", "H200-SXM", 8),
        ("p5en.48xlarge", "H200-SXM", 8),
        ("p6-b200.48xlarge", "B200-SXM", 8),
        ("inf1.6xlarge", "Inferentia1", 4),
        ("inf2.24xlarge", "Inferentia2", 6),
        ("trn1.32xlarge", "Trainium1", 16),
        ("trn2.48xlarge", "Trainium2", 16),
    ],
)
def test_every_inference_family_has_its_accelerator(instance_type, name, count):
    spec = instance(instance_type)
    assert (spec.accelerator, spec.accelerator_count) == (name, count)
    one = accelerator(name)
    # The instance table counts in GiB what some data sheets call GB: 7.4 % apart, no more.
    ratio = spec.accelerator_memory_bytes / (one.memory_bytes * count)
    assert 0.97 < ratio < 1.08


def test_accelerator_figures():
    # NVIDIA data sheets: T4 65 TFLOPS, 320 GB/s; A100 SXM 312 dense, 1,555 and 2,039 GB/s.
    assert accelerator("T4").fp16_flops == pytest.approx(65e12, rel=0.01)
    assert accelerator("T4").memory_bandwidth_bytes_per_s == 320e9
    assert accelerator("T4").bf16_flops is None
    assert accelerator("A100-SXM-40GB").fp16_flops == 312e12
    assert accelerator("A100-SXM-40GB").memory_bandwidth_bytes_per_s == 1555e9
    assert accelerator("A100-SXM-80GB").memory_bandwidth_bytes_per_s == 2039e9
    assert accelerator("A10G").memory_bytes == 24e9
    assert accelerator("L4").host_bandwidth_bytes_per_s == 32e9


def test_a_burst_that_is_not_listed_is_the_baseline():
    spec = instance("g4ad.4xlarge")
    assert spec.network_burst_bytes_per_s == spec.network_baseline_bytes_per_s
    assert spec.ebs_baseline_bytes_per_s is None


def test_every_described_type_is_sane():
    described = 0
    for name in instance_types():
        try:
            spec = instance(name)
        except SpecNotFound:
            continue
        described += 1
        assert spec.vcpu > 0
        assert spec.memory_bytes > 0
        assert 0 < spec.network_baseline_bytes_per_s <= spec.network_burst_bytes_per_s
        assert (spec.accelerator is None) == (spec.accelerator_count == 0)
        assert (spec.accelerator is None) == (spec.accelerator_memory_bytes == 0)
        if spec.ebs_baseline_bytes_per_s and spec.ebs_max_bytes_per_s:
            assert spec.ebs_baseline_bytes_per_s <= spec.ebs_max_bytes_per_s
    assert described > 1_300


@pytest.mark.parametrize("name", ["ml.g5.3xlarge", "g5.3xlarge", "ml.g5g.xlarge"])
def test_unknown_type(name):
    with pytest.raises(UnknownInstance) as caught:
        instance(name)
    assert caught.value.nearest


def test_priced_but_not_described():
    with pytest.raises(SpecNotFound, match=r"p3\.2xlarge"):
        instance("p3.2xlarge")


def test_a_fraction_of_an_accelerator_is_not_guessed():
    with pytest.raises(SpecNotFound, match="share"):
        instance("g6f.xlarge")


def test_an_accelerator_without_figures_is_named():
    assert instance("g5g.xlarge").accelerator == "t4g"
    with pytest.raises(SpecNotFound, match="t4g") as caught:
        accelerator("t4g")
    assert "T4" in caught.value.nearest
