"""The latency rules beside closed forms, published points and their own laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pricing
from modeler.predict.catalogue import catalogue
from modeler.predict.known import known, known_names
from modeler.predict.latency import (
    Group,
    NotCovered,
    Pass,
    ProfileError,
    TokenModel,
    at_concurrency,
    call_s,
    encoder,
    full_batch,
    full_throughput,
    latency_constants,
    network,
    read_profile,
    static_batch_s,
)
from modeler.predict.precision import GGUF_BITS, precision
from modeler.referee import validate
from modeler.referee.latency_points import _accelerator


def model(name="Llama-3.1-8B", dtype="fp16", accelerator="H100-SXM-80GB", count=1, cache="fp16"):
    return TokenModel(known(name), dtype, Group(pricing.accelerator(accelerator), count), cache)


def test_one_sequence_reads_every_weight_once():
    one = model()
    # 8.03e9 parameters less the input table of 128,256 x 4,096, in 16 bit at 0.75 of 3.35 TB/s.
    read = 2.0 * (8_030_261_248 - 128_256 * 4_096) / (0.75 * 3.35e12)
    norms = 2.0 * 65 * 4096 / (0.75 * 3.35e12)  # are not read as matrices
    assert one.step_s(1, 0) == pytest.approx(read + 0.002, abs=2 * norms)
    # The cache of a token is 131,072 bytes; a thousand tokens more of context take so much longer.
    assert one.step_s(1, 1000) - one.step_s(1, 0) == pytest.approx(131_072_000 / (0.75 * 3.35e12))


def test_a_long_prompt_is_arithmetic():
    one = model()
    parameters = one.matrix_parameters
    work = (2 * parameters * 8192 + 2 * 32 * 32 * 128 * 8192 * 8192) / (0.5 * 989e12)
    assert one.prefill_s(8192, 8192) == pytest.approx(work + 0.002)


def test_tensor_parallel_devices_share_the_work_and_pay_for_the_exchange():
    alone, four = model("llama-2-70b", "fp8"), model("llama-2-70b", "fp8", count=4)
    exchange = 2 * 80 * 1e-5
    assert four.step_s(1, 0) - 0.002 - exchange == pytest.approx((alone.step_s(1, 0) - 0.002) / 4)
    assert four.cache_bytes == alone.cache_bytes / 4
    eight = model("llama-2-70b", "fp8", count=8)
    assert model("llama-2-70b", "fp8", count=16).cache_bytes == eight.cache_bytes  # heads repeat


def test_experts_are_read_as_they_are_hit():
    sparse = model("mixtral-8x7b", count=2)
    assert sparse.read_bytes(1) < 0.31 * sparse.read_bytes(256)
    assert sparse.read_bytes(256) == pytest.approx(sparse.weight_bytes, rel=0.01)


def test_four_bit_weights_speed_up_small_batches_and_not_prompts():
    whole, packed = model(dtype="bf16"), model(dtype="awq")
    # At most by 16 over 4.16 bits; less what stays in 16 bit and the engine's own time.
    gain = whole.step_s(1, 128) / packed.step_s(1, 128)
    assert 1.6 < gain < 16 / 4.16
    assert packed.prefill_s(4096, 4096) == pytest.approx(whole.prefill_s(4096, 4096), rel=0.01)


def test_a_static_batch_of_one_is_a_prefill_and_its_steps():
    one = model()
    expected = one.prefill_s(100, 100) + 9 * one.step_s(1, 105)
    assert static_batch_s(one, 1, 100, 10) == pytest.approx(expected)


def test_interference_of_prompts_agrees_with_the_published_service():
    # NVIDIA NIM documentation, Llama 3.3 70B in fp8 on two H100, 5000 tokens in and 500 out:
    # 18.58, 21.83, 38.75 and 59.73 ms between tokens at 1, 5, 25 and 50 requests.
    served = model("Llama-3.3-70B", "fp8", count=2, cache="fp8")
    for requests, measured_ms in ((1, 18.58), (5, 21.83), (25, 38.75), (50, 59.73)):
        got = at_concurrency(served, requests, 5000, 500)
        assert 1e3 * got.between_tokens_s == pytest.approx(measured_ms, rel=0.1)
        assert got.whole_s > got.first_token_s > 0


def test_weights_that_leave_no_cache_are_refused():
    with pytest.raises(NotCovered, match="leave no cache for a sequence"):
        full_batch(model("llama-3.1-70b"), 1000, 100)
    with pytest.raises(NotCovered, match="T4 has no figure for arithmetic in fp8"):
        model(dtype="fp8", accelerator="T4")
    with pytest.raises(NotCovered, match="no decoder"):
        model("bert-base-uncased")
    with pytest.raises(LookupError, match="nearest known"):
        known("llama-3.1-9b")


@given(
    batch=st.integers(1, 512),
    prompt=st.integers(16, 4096),
    output=st.integers(2, 2048),
    count=st.sampled_from([1, 2, 4]),
)
def test_laws_of_batching(batch, prompt, output, count):
    one = model(count=count)
    # More sequences take longer a step and no longer a token.
    assert one.step_s(batch + 1, prompt) >= one.step_s(batch, prompt)
    each = one.step_s(batch + 1, prompt) / (batch + 1)
    assert each <= one.step_s(batch, prompt) / batch * (1 + 1e-12)
    assert one.prefill_s(prompt + 1, prompt + 1) >= one.prefill_s(prompt, prompt)
    # A full server gives at least what one sequence at a time would.
    alone = output / static_batch_s(one, 1, prompt, output)
    assert full_throughput(one, prompt, output) >= 0.99 * alone
    quiet, loud = (at_concurrency(one, n, prompt, output) for n in (batch, batch + 1))
    assert loud.between_tokens_s >= quiet.between_tokens_s


def test_one_pass_networks():
    v100 = Group(pricing.accelerator("V100-SXM2-16GB"))
    resnet = network("resnet50 224")
    # TensorRT 4 on V100: 21.27 ms for 128 images, 39.73 for 256.
    for batch, measured_ms in ((128, 21.27), (256, 39.73)):
        got = 1e3 * call_s(resnet, v100, batch, compiled=True)
        assert got == pytest.approx(measured_ms, rel=0.15)
    with pytest.raises(NotCovered, match="the runtime decides"):
        call_s(resnet, v100, 1)
    with pytest.raises(NotCovered, match="fitted to GPUs"):
        call_s(resnet, Group(pricing.accelerator("Inferentia2")), 64)
    with pytest.raises(NotCovered, match="are not known"):
        network("resnet51")
    base = encoder(known("bert-base-uncased"), 128)
    assert base.flops == pytest.approx(2 * 85e6 * 128 + 4 * 12 * 768 * 128**2, rel=0.01)


def test_measurements_beside_the_rule():
    """Measured step times of timm on one desktop card, batches of 1,024, at 160 and 224 pixels."""
    card = Group(pricing.accelerator("RTX 4090"))
    errors = {}
    for row in catalogue():
        if row.hardware != "RTX 4090" or not row.latency_s:
            continue
        name, _, pixels = row.name.removeprefix("timm/").partition("@")
        try:
            one = network(name.removesuffix("_patch16_224"))
        except NotCovered:
            continue
        scale = (int(pixels) / (299 if "inception" in name else 224)) ** 2
        scaled = Pass(scale * one.flops, scale * one.activations, one.kernels)
        errors[row.name] = abs(call_s(scaled, card, row.batch) / row.latency_s - 1.0)
    convolutions = [error for name, error in errors.items() if "patch" not in name]
    assert len(convolutions) >= 5
    assert max(convolutions) <= 0.2  # the rule's published median error is 13.6 %
    assert max(errors.values()) <= 0.6  # transformers: said in the rule's own text


def test_a_profile_takes_the_place_of_the_rules(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("batch,latency_ms\n8,30\n1,10\n2,12\n")
    profile = read_profile(path)
    assert profile.latency_s(1) == pytest.approx(0.010)
    assert profile.latency_s(5) == pytest.approx(0.021)
    assert profile.latency_s(0.5) == pytest.approx(0.010)
    assert profile.latency_s(16) == pytest.approx(0.030 + 8 * 0.003)
    assert profile.throughput(8) == pytest.approx(8 / 0.030)


def test_a_profile_is_continued_to_twice_its_last_row_and_says_so(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("batch,latency_ms\n2,12\n8,30\n")
    profile = read_profile(path)
    assert profile.reach == 16
    assert profile.notes(8) == (f"{path} starts at batch 2: below, as there",)
    assert profile.notes(12)[1] == (
        f"{path} ends at batch 8: from there to 12, the slope of the last two rows; not measured"
    )
    with pytest.raises(
        ProfileError, match="whose last row is of batch 8 and is continued to twice"
    ):
        profile.latency_s(16.5)
    with pytest.raises(ProfileError, match=r"service.max_batch = 17 is beyond .*max_batch: 16"):
        profile.check(17, "service.max_batch")
    # One row says nothing of a larger batch: in proportion, as if nothing were shared.
    path.write_text("batch,latency_ms\n4,20\n")
    alone = read_profile(path)
    assert [alone.latency_s(size) for size in (1, 4, 8)] == pytest.approx([0.02, 0.02, 0.04])
    assert alone.notes(8)[1].endswith("from there to 8, in proportion; not measured")
    path.write_text("batch,latency_ms\n1,20\n")
    assert read_profile(path).notes(1) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("batch,time\n1,2\n", "expected one of seconds"),
        ("batch,seconds\n", "no rows"),
        ("batch,seconds\n1,fast\n", "line 2: batch and seconds must be numbers"),
        ("batch,seconds\n0,1\n2,-1\n", "line 3: expected batch above 0"),
        ("batch,seconds\n1,1\n1,2\n", "line 3: batch 1 comes a second time"),
        ("", "columns none"),
    ],
)
def test_a_profile_that_cannot_be_read(tmp_path, text, said):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(ProfileError, match=said):
        read_profile(path)


def test_precisions():
    eight = known("llama-3.1-8b")
    # Embedding and head stay in 16 bit: about 5.7 GB of an 8B, and not 4.0.
    assert precision("gptq").memory_bytes(eight) == pytest.approx(5.73e9, rel=0.01)
    assert precision("bf16").memory_bytes(eight) == 2 * eight.parameters
    assert precision("nvfp4").maths == "fp4"
    assert precision("awq").expanded
    assert precision("q8_0").linear_bytes == GGUF_BITS["Q8_0"] / 8
    with pytest.raises(ValueError, match="unknown precision"):
        precision("fp3")


def test_known_models_count_as_published():
    published = {
        "llama-2-70b": 68_976_648_192, "mixtral-8x7b": 46_702_792_704, "gpt-j-6b": 6_050_882_784,
        "falcon-7b": 6_921_720_704, "qwen3-30b-a3b": 30_532_122_624, "phi-4": 14_659_507_200,
        "gpt-oss-20b": 20_914_757_184, "deepseek-v3": 671_026_404_352,
    }  # fmt: skip
    assert {name: known(name).parameters for name in published} == published
    assert all(known(name).exact for name in known_names())
    assert known("meta-llama/Meta-Llama-3-8B-Instruct") == known("llama-3-8b")


def test_every_constant_has_an_origin_and_a_source():
    for constant in latency_constants().values():
        assert constant.origin in ("documented", "observed", "assumed")
        assert len(constant.source) > 20


def test_points_in_a_file_are_compared_or_out_of_scope(tmp_path):
    header = "model,hw,accelerators,tp,dtype,batch,isl,osl,metric,value,unit,source,date,notes"
    rows = [
        "GPT-J-6B,L40S,1,1,fp8,1,2048,1,ttft_ms,71,ms,NVIDIA,2023-10,",
        "GPT-J-6B,L40S,1,1,fp8,,,1,ttft_ms,71,ms,NVIDIA,2023-10,",
        "GPT-J-6B,Abacus,1,1,fp8,1,2,1,ttft_ms,71,ms,NVIDIA,2023-10,",
        "GPT-X,L40S,1,1,fp8,1,2,1,ttft_ms,71,ms,NVIDIA,2023-10,",
        "GPT-J-6B,L40S,1,1,fp9,1,2,1,ttft_ms,71,ms,NVIDIA,2023-10,",
        "GPT-J-6B,L40S,1,1,fp8,1,2,1,joy,71,ms,NVIDIA,2023-10,",
        "GPT-J-6B,L40S,1,two,fp8,1,2,1,ttft_ms,71,ms,NVIDIA,2023-10,",
        "GPT-J-6B,L40S,1,1,fp8,-1,2,1,ttft_ms,71,ms,NVIDIA,2023-10,",
    ]
    path = tmp_path / "points.csv"
    path.write_text("\n".join([header, *rows]))
    found = validate([path]).to_dict()["files"][0]
    assert (found["compared"], found["out_of_scope"]) == (1, 7)
    assert found["errors"]["all"]["median_pct"] == pytest.approx(1.5, abs=0.1)
    reasons = " | ".join(found["errors"]["out_of_scope"])
    for said in ("batch, isl not stated", 'hardware "Abacus"', '"GPT-X" is not known', '"fp9"',
                 'metric "joy"', "tp not stated", "batch not stated"):  # fmt: skip
        assert said in reasons


@pytest.mark.parametrize(
    ("written", "card"),
    [
        ("8xH100", "H100-SXM-80GB"), ("H100 PCIe 80GB", "H100-PCIe-80GB"),
        ("NVIDIA H100 80GB HBM3", "H100-SXM-80GB"), ("A100 40GB", "A100-SXM-40GB"),
        ("A100-SXM4-80GB", "A100-SXM-80GB"), ("NVIDIA A10G (24GB)", "A10G"),
        ("RTX4090", "RTX 4090"), ("Tesla T4", "T4"), ("V100-SXM2-32GB", "V100-SXM2-32GB"),
        ("H100 NVL", "H100 NVL"), ("GH200", "GH200"),  # no figures are held of these two
    ],
)  # fmt: skip
def test_cards_as_publications_write_them(written, card):
    assert _accelerator(written) == card


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("ResNet-50 224", "resnet50"), ("mobilenet_v2", "mobilenetv2"),
        ("vit_base_patch16_224", "vit_base"), ("ResNet50-v1.5", "resnet50"),
    ],
)  # fmt: skip
def test_networks_as_publications_write_them(written, name):
    assert network(written) == network(name)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Phi-3-mini-4k-instruct", "phi-3-mini"), ("GPT-J", "gpt-j-6b"), ("gptj-99.9", "gpt-j-6b"),
        ("llama2-70b-99.9", "llama-2-70b"), ("GPT3-175B", "gpt-3-175b"),
        ("Mistral-Nemo-Instruct-2407", "mistral-nemo-12b"), ("Qwen3-32B-AWQ", "qwen3-32b"),
        ("DeepSeek-R1-Distill-Llama-8B", "llama-3.1-8b"),
        ("Qwen2.5-Coder-7B-Instruct", "qwen2.5-7b"),
    ],
)  # fmt: skip
def test_models_as_publications_write_them(written, name):
    assert known(written) == known(name)


def test_a_model_that_does_not_fit_its_cards_is_out_of_scope(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text(
        "model,hw,accelerators,tp,dtype,batch,isl,osl,metric,value,unit,source\n"
        "llama-3.1-405b,H100,,1,fp16,1,128,128,itl_ms,10,ms,a\n"
        "llama-3.1-8b,H100,,1,fp16,1,128,128,itl_ms,10,ms,a\n"
        "llama-3.1-405b,8xH200,,,fp8,1,128,128,itl_ms,20,ms,a\n"
    )
    (file,) = validate([path]).to_dict()["files"]
    assert (file["compared"], file["out_of_scope"]) == (2, 1)


def test_requests_beyond_the_cache_wait():
    """Llama-3.3-70B in fp8 on two H100, 5,000 in and 500 out: some 83 sequences fit the cache.

    With 25 in flight NVIDIA measured 0.689 s to the first token (NIM 1.8.0, benchmarking
    documents); the rule has one prompt and half a step, within a half of it.
    """
    group = Group(pricing.accelerator("H100-SXM-80GB"), 2)
    large = TokenModel(known("llama-3.3-70b"), "fp8", group, "fp8")
    loads = {c: at_concurrency(large, float(c), 5000.0, 500.0) for c in (25, 100, 150, 250)}
    assert loads[25].first_token_s == pytest.approx(0.689, rel=0.5)
    # Beyond the cache the time between tokens stays, and the rest waits for its turn.
    assert loads[25].between_tokens_s < loads[100].between_tokens_s
    assert len({loads[c].between_tokens_s for c in (100, 150, 250)}) == 1
    assert loads[25].first_token_s < 1.0 < loads[100].first_token_s < loads[150].first_token_s
    # Little's law: requests in flight over the whole time of one are the rate of those at work.
    working = full_batch(large, 5000.0, 500.0, 250.0)
    alone = at_concurrency(large, working, 5000.0, 500.0)
    for c in (100, 150, 250):
        assert c / loads[c].whole_s == pytest.approx(working / alone.whole_s, rel=1e-9)
