"""What a start takes: constants of its phases, where the weights come from, who shares the way."""

from typing import Final, Literal

from modeler.scenario.fields import (
    Block,
    Bytes,
    BytesPerSecond,
    Count,
    Number,
    Ranks,
    Seconds,
    Share,
    setting,
)

# Batch sizes whose graphs were captured where the terms of the init were measured.
CAPTURED_SIZES: Final = 67
# What an analyst may say instead of the sum of the fixed or of the growing terms of the init.
INIT_FIXED: Final = ("init_bootstrap_s", "init_import_s", "init_engine_s", "init_compile_s")
INIT_GROWING: Final = ("init_engine_s_per_gparam", "init_compile_s_per_gparam")

Preset = Literal[
    "live_instance",
    "ecs_ec2",
    "eks_fargate",
    "gpu_serverless",
    "gpu_cloud",
    "bare_metal",
]


class ColdStart(Block):
    """Constants of the phases; what is not set takes the hosting's own, with its source."""

    constants: str | None = setting(
        None,
        "File of constants that modeler calibrate wrote, relative to the scenario; the block's own "
        "settings come before it.",
        min_length=1,
    )
    preset: Preset | None = setting(
        None,
        "Constants of a place that is no kind of hosting here, in the place of the hosting's own; "
        "the bill stays the hosting's.",
        origin="assumed",
        source="replicas start as the hosting's do",
        derived="the hosting's own",
    )
    provision_s: Seconds | None = setting(None, "Request until the instance runs.", unit="s")
    boot_s: Seconds | None = setting(None, "Kernel, agent, joining the cluster.", unit="s")
    device_s: Seconds | None = setting(None, "Driver and device plugin of a GPU.", unit="s")
    image_size: Bytes | None = setting(None, "Compressed container image.", unit="bytes", ge=0)
    image_cached: bool | None = setting(None, "The image already lies on the instance.")
    image_cache_hit: Share = setting(
        0.0,
        "Share of starts that find the image on their instance; the others pull it.",
        origin="assumed",
        source="a new instance holds nothing; image_cached says that all do",
    )
    registry_bytes_per_s: BytesPerSecond | None = setting(
        None, "Pull rate of the image, unpacking included.", unit="bytes/s", gt=0
    )
    registry_total_bytes_per_s: BytesPerSecond | None = setting(
        None,
        "What the registry gives to all starts together, shared evenly by those that pull at once.",
        unit="bytes/s",
        origin="assumed",
        source="a registry that many starts do not slow down",
        derived="no limit",
        gt=0,
    )
    weights_from: Literal["store", "disk", "page_cache", "peer", "peer_rdma"] = setting(
        "store",
        "Where the weights come from: the object store, the instance's disk, the host's page "
        "cache, or a replica that serves already, over TCP or RDMA.",
        origin="assumed",
        source="a new instance holds nothing",
    )
    disk: Literal["none", "nvme", "ebs"] = setting(
        "none",
        "Disk that weights are written to and read from; none sets no limit.",
        origin="assumed",
        source="weights just fetched lie in the page cache",
    )
    store_bytes_per_s: BytesPerSecond | None = setting(
        None, "Rate of the object store.", unit="bytes/s", gt=0
    )
    store_connections: Count | None = setting(
        None,
        "Requests at once to the object store, each at connection_bytes_per_s; instead of "
        "store_bytes_per_s, or beside it as a second limit.",
        origin="assumed",
        source="the store's rate as measured holds those of its client",
        derived="as many as store_bytes_per_s was measured with",
        ge=1,
    )
    connection_bytes_per_s: BytesPerSecond | None = setting(
        None, "Rate of one request to the object store.", unit="bytes/s", gt=0
    )
    store_total_bytes_per_s: BytesPerSecond | None = setting(
        None,
        "What the store gives to all starts together, shared evenly by those that fetch at once.",
        unit="bytes/s",
        origin="assumed",
        source="an object store that many starts do not slow down",
        derived="no limit",
        gt=0,
    )
    peer_bytes_per_s: BytesPerSecond | None = setting(
        None, "Rate from another replica; bounded by the interface.", unit="bytes/s", gt=0
    )
    peer_fixed_s: Seconds | None = setting(
        None, "Registering memory for RDMA, before the framework serves.", unit="s"
    )
    weights_cache_hit: Share = setting(
        0.0,
        "Share of starts that find the weights on their instance's disk, or in its page cache "
        "where no disk is named; the others fetch them.",
        origin="assumed",
        source="a new instance holds nothing; weights_from says that all do",
    )
    warm_node_has_weights: bool = setting(
        False,
        "Whether an instance that has held the model keeps its weights for the next replica.",
        origin="assumed",
        source="a container's own layer goes with it; data caching on SageMaker keeps them",
    )
    nvme_bytes_per_s: BytesPerSecond | None = setting(
        None, "Rate of local NVMe, written or read.", unit="bytes/s", gt=0
    )
    ebs_bytes_per_s: BytesPerSecond | None = setting(
        None,
        "Throughput set for the volume, on gp3 125 to 1000 MiB/s, lately 2000; the instance's own "
        "EBS limit holds beside it.",
        unit="bytes/s",
        gt=0,
    )
    ebs_loader_bytes_per_s: BytesPerSecond | None = setting(
        None,
        "What a loader that does not stream asks of a volume.",
        unit="bytes/s",
        gt=0,
    )
    ebs_credits: bool = setting(
        True,
        "Whether the instance has its half hour at its highest EBS rate; otherwise the baseline.",
        origin="documented",
        source="EC2 user guide, EBS-optimized instances, 30 minutes a day, read 2026-11",
    )
    ebs_from_snapshot: bool = setting(
        False,
        "The volume was just made from a snapshot that holds the weights: reading them is bounded "
        "by its initialisation.",
        origin="assumed",
        source="a volume that is initialised, or fast snapshot restore",
    )
    ebs_initialisation_bytes_per_s: BytesPerSecond | None = setting(
        None, "Rate of that initialisation, settable from 100 to 300 MiB/s.", unit="bytes/s", gt=0
    )
    nic_bytes_per_s: BytesPerSecond | None = setting(
        None, "Rate of the instance's network interface.", unit="bytes/s", gt=0
    )
    shared_nic: bool | None = setting(None, "Pull and fetch run at once on one interface.")
    streaming_load: bool | None = setting(
        None, "A streaming loader: what comes goes on to the accelerator at once."
    )
    load_bytes_per_s: BytesPerSecond | None = setting(
        None, "Rate from page cache or disk into one accelerator's memory.", unit="bytes/s", gt=0
    )
    load_node_bytes_per_s: BytesPerSecond | None = setting(
        None, "Most that a host loads into all its accelerators together.", unit="bytes/s", gt=0
    )
    load_fixed_s: Seconds | None = setting(None, "Load time that does not grow.", unit="s")
    tensor_parallel: Ranks = setting(
        1,
        "Ranks that load a shard each; all for as many as the instance has accelerators.",
        origin="assumed",
        source="the load and init of one process, as measured",
    )
    presharded: bool = setting(
        False,
        "Whether the checkpoint is sharded already; otherwise each rank that streams or reads a "
        "disk past the page cache reads all of it.",
        origin="assumed",
        source="weights as they are published",
    )
    init_s: Seconds | None = setting(None, "Framework start that does not grow.", unit="s")
    init_s_per_gb: Number | None = setting(
        None, "Framework start per decimal gigabyte of weights.", unit="s/GB", ge=0
    )
    init_bootstrap_s: Seconds | None = setting(
        None, "Of it: imports from warm files, model info, worker.", unit="s"
    )
    init_import_s: Seconds | None = setting(
        None, "Of it: what imports take longer from cold files.", unit="s"
    )
    init_engine_s: Seconds | None = setting(
        None, "Of it: profiling, graph capture, compiled graph.", unit="s"
    )
    init_engine_s_per_gparam: Number | None = setting(
        None, "Of it: the same, per 1e9 parameters.", unit="s per 1e9 parameters", ge=0
    )
    init_compile_s: Seconds | None = setting(
        None, "Of it: compilation without a cache, beyond what a cache takes.", unit="s"
    )
    init_compile_s_per_gparam: Number | None = setting(
        None, "Of it: the same, per 1e9 parameters.", unit="s per 1e9 parameters", ge=0
    )
    init_graphs_s: Seconds | None = setting(
        None,
        "Within init_engine_s: capturing 67 batch sizes, which captured_sizes scales.",
        unit="s",
    )
    init_graphs_s_per_gparam: Number | None = setting(
        None, "The same, per 1e9 parameters.", unit="s per 1e9 parameters", ge=0
    )
    init_ranks_s: Seconds | None = setting(None, "Of it: workers of several ranks, once.", unit="s")
    init_s_per_rank: Seconds | None = setting(None, "Of it: each rank beyond the first.", unit="s")
    captured_sizes: Count = setting(
        CAPTURED_SIZES,
        "Batch sizes whose graphs are captured; 0 for an engine that runs without graphs.",
        origin="observed",
        source="vLLM 0.10: 1, 2, 4 and every eighth up to 512, as in the runs the terms are from",
        ge=0,
    )
    compile_cached: bool = setting(
        False,
        "Whether compiled graphs of the model are at hand.",
        origin="assumed",
        source="a new instance holds nothing",
    )
    host_factor: Number = setting(
        1.0,
        "What the framework start is multiplied by for a slower or faster host; 1.7 to 2.5 was "
        "seen between two hosts.",
        origin="assumed",
        source="the L40S host on which the terms were measured: arXiv 2606.07362",
        gt=0,
    )
    snapshot: bool = setting(
        False,
        "Whether process and accelerator memory are restored from a snapshot, instead of load and "
        "framework start.",
        origin="assumed",
        source="an ordinary start",
    )
    snapshot_fixed_s: Seconds | None = setting(
        None, "Restoring a context, whatever its bytes.", unit="s"
    )
    snapshot_bytes_per_s: BytesPerSecond | None = setting(
        None, "Rate of restoring a snapshot that is on the host.", unit="bytes/s", gt=0
    )
    wake_fixed_s: Seconds | None = setting(
        None, "Waking an engine that sleeps, whatever its bytes.", unit="s"
    )
    wake_bytes_per_s: BytesPerSecond | None = setting(
        None, "Rate from pinned host memory to the accelerators, on waking.", unit="bytes/s", gt=0
    )
    register_s: Seconds | None = setting(
        None, "Loaded until the first request arrives: probe, load balancer.", unit="s"
    )
    gap_s: Seconds | None = setting(
        None, "What no phase accounts for: waits between steps, probe period.", unit="s"
    )
    sigma_log: Number | None = setting(
        None, "Spread of each phase, of its logarithm; 0 is deterministic.", ge=0
    )
    start_limit_s: Seconds | None = setting(
        None,
        "Longest time the platform waits for a start, from when it begins to count: on SageMaker "
        "from the start of the container, on Kubernetes once the image is there, on EC2 from "
        "running.",
        unit="s",
        origin="documented",
        source="SageMaker developer guide, container health check 8 minutes, up to 60 with "
        "ContainerStartupHealthCheckTimeoutInSeconds; EC2 status checks and Kubernetes pods "
        "without a startup probe have none; read 2026-09",
        derived="480 on SageMaker, elsewhere none; none of a total_s, whose phases are not known",
        gt=0,
    )
    retry_base_s: Seconds = setting(
        10.0,
        "Pause after a start that failed, doubling from one to the next.",
        unit="s",
        origin="documented",
        source="Kubernetes documentation, container restart policy, back-off 10 s, read 2026-09",
    )
    retry_max_s: Seconds = setting(
        300.0,
        "Longest such pause.",
        unit="s",
        origin="documented",
        source="Kubernetes documentation, container restart policy, at most 5 minutes",
    )
    attempts: Count = setting(
        10,
        "Starts of one replica before it is given up, until the policy next changes the fleet.",
        origin="assumed",
        source="enough for any law whose median is within the limit",
        ge=1,
        le=100,
    )
    total_s: Seconds | None = setting(None, "One fixed duration instead of all phases.", unit="s")
    false_ready_s: Seconds = setting(
        0.0,
        "How long before it can serve a replica's health is green: what is sent there fails.",
        unit="s",
        origin="assumed",
        source="a readiness probe that waits for the model",
    )
