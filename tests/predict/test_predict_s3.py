"""Objects in S3, against moto, and what AWS may refuse."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber
from moto import mock_aws
from sample_artifacts import EVERY, weights

from modeler.predict import measure_size, s3
from modeler.predict.artifact import bytes_source
from modeler.predict.s3 import (
    AccessDenied,
    BadAddress,
    BucketNotFound,
    EmptyPrefix,
    NoCredentials,
    S3Error,
    Unreachable,
)

BUCKET = "models"


@pytest.fixture(autouse=True)
def _no_real_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))


@pytest.fixture
def bucket() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client


def put(client: Any, key: str, size: int, storage_class: str = "STANDARD") -> None:
    body = weights(size) if key.endswith(".safetensors") else b"x" * size
    client.put_object(Bucket=BUCKET, Key=key, Body=body, StorageClass=storage_class)


def test_single_object(bucket):
    put(bucket, "llm/model.safetensors", 1000)
    report = measure_size("s3://models/llm/model.safetensors")
    assert (report.kind, report.objects, report.artifact_bytes) == ("s3_object", 1, 1000)
    assert report.to_dict()["storage_classes"] == {"STANDARD": {"objects": 1, "bytes": 1000}}
    assert (report.parameters, report.weight_bytes) == (928, 928)
    assert (report.contents.format, report.traffic.requests) == ("safetensors", 1)


@pytest.mark.parametrize("name", ["model.json", "model.txt", "model.tar.gz", "variables.index"])
def test_what_has_to_be_read_whole_is_counted_as_well(bucket, monkeypatch, name):
    bucket.put_object(Bucket=BUCKET, Key=f"whole/{name}", Body=EVERY[name])
    found = measure_size(f"s3://models/whole/{name}")
    assert found.contents is not None
    assert found.contents.facts or found.contents.tensors
    monkeypatch.setattr(bytes_source, "MOST_OVER_NETWORK", 10)
    far = measure_size(f"s3://models/whole/{name}")
    assert far.contents is None
    assert far.artifact_bytes == len(EVERY[name])
    assert "would have to be brought" in far.notes[-1]


@pytest.mark.parametrize("source", ["s3://models/llm", "s3://models/llm/"])
def test_prefix_with_storage_classes(bucket, source):
    put(bucket, "llm/", 0)  # the marker a console leaves for a folder
    put(bucket, "llm/model-1.safetensors", 700)
    put(bucket, "llm/model-2.safetensors", 200, "STANDARD_IA")
    put(bucket, "llm/tokenizer.json", 50)
    put(bucket, "llm-old/model.safetensors", 10_000)
    report = measure_size(source)
    assert (report.kind, report.objects) == ("s3_prefix", 3)
    assert (report.artifact_bytes, report.weight_bytes) == (950, 900 - 2 * 72)
    assert report.to_dict()["storage_classes"] == {
        "STANDARD": {"objects": 2, "bytes": 750},
        "STANDARD_IA": {"objects": 1, "bytes": 200},
    }


def test_more_objects_than_one_page(bucket):
    # A page holds 1,000 keys.
    for number in range(1203):
        put(bucket, f"many/part-{number:05d}", 3)
    report = measure_size("s3://models/many/")
    assert (report.objects, report.artifact_bytes) == (1203, 3609)
    assert measure_size("s3://models").objects == 1203


def test_key_that_is_object_and_prefix(bucket):
    put(bucket, "llm", 100)
    put(bucket, "llm/model.bin", 900)
    alone = measure_size("s3://models/llm")
    assert (alone.kind, alone.artifact_bytes) == ("s3_object", 100)
    assert "s3://models/llm/" in alone.notes[0]
    assert measure_size("s3://models/llm/").artifact_bytes == 900


def test_prefix_that_is_no_folder(bucket):
    put(bucket, "llm/model-1.bin", 4)
    put(bucket, "llm/model-2.bin", 6)
    put(bucket, "llm/other.bin", 100)
    report = measure_size("s3://models/llm/model-")
    assert report.artifact_bytes == 10
    assert "starts so" in report.notes[0]


def test_archived_objects_are_flagged(bucket):
    put(bucket, "llm/a.bin", 5, "DEEP_ARCHIVE")
    put(bucket, "llm/b.bin", 7, "GLACIER")
    put(bucket, "llm/c.bin", 9, "GLACIER_IR")  # read at once, for a fee
    notes = " ".join(measure_size("s3://models/llm/").notes)
    assert "2 objects (12 bytes) are archived (DEEP_ARCHIVE, GLACIER)" in notes
    assert "archived" in measure_size("s3://models/llm/a.bin").notes[0]


@pytest.mark.parametrize("source", ["s3://models/nothing/", "s3://models/nothing", "s3://models"])
def test_empty_prefix(bucket, source):
    with pytest.raises(EmptyPrefix, match="aws s3 ls s3://models/") as refusal:
        measure_size(source)
    assert refusal.value.exit_code == 2


@pytest.mark.parametrize("key", ["", "llm/model.bin", "llm/"])
def test_no_such_bucket(bucket, key):
    with pytest.raises(BucketNotFound, match="absent") as refusal:
        measure_size(f"s3://absent/{key}")
    assert refusal.value.exit_code == 2


@pytest.mark.parametrize("source", ["s3://", "s3:///key", "s3://no spaces/key"])
def test_not_an_address(source):
    with pytest.raises(BadAddress) as refusal:
        measure_size(source)
    assert refusal.value.exit_code == 2


def test_unknown_profile():
    with pytest.raises(BadAddress, match="nobody") as refusal:
        measure_size("s3://models/llm", profile="nobody")
    assert refusal.value.exit_code == 2


def test_no_credentials(monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(NoCredentials, match="--profile") as refusal:
        measure_size("s3://models/llm/model.bin")
    assert refusal.value.exit_code == 5
    assert isinstance(refusal.value.__cause__, NoCredentialsError)


def test_unreachable_endpoint():
    # Port 9 of this host: nobody listens there.
    with pytest.raises(Unreachable, match="http://127.0.0.1:9") as refusal:
        measure_size("s3://models/llm/model.bin", endpoint_url="http://127.0.0.1:9")
    assert refusal.value.exit_code == 5
    assert isinstance(refusal.value.__cause__, EndpointConnectionError)


def test_endpoint_that_is_no_address():
    with pytest.raises(BadAddress):
        measure_size("s3://models/llm", endpoint_url="not an address")


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    client = boto3.client("s3", region_name="us-east-1")
    monkeypatch.setattr(s3, "_client", lambda *_: client)
    with Stubber(client) as stub:
        yield stub


@pytest.mark.parametrize(
    "code", ["AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"]
)
def test_denied(stubbed, code):
    # HeadObject has no body, so its refusal is a bare 403; listing gives the reason.
    stubbed.add_client_error("head_object", "403", http_status_code=403)
    stubbed.add_client_error("list_objects_v2", code, http_status_code=403)
    with pytest.raises(AccessDenied, match="s3:ListBucket on models") as refusal:
        measure_size("s3://models/llm/model.bin")
    assert refusal.value.exit_code == 5
    assert code in str(refusal.value)


def test_leave_to_read_but_not_to_list_is_enough_for_an_object(stubbed):
    stubbed.add_response("head_object", {"ContentLength": 42, "StorageClass": "STANDARD_IA"})
    stubbed.add_client_error("list_objects_v2", "AccessDenied", http_status_code=403)
    stubbed.add_client_error("get_object", "AccessDenied", http_status_code=403)
    report = measure_size("s3://models/llm/model.bin")
    assert report.artifact_bytes == 42
    assert "headers could not be read (AccessDenied)" in report.notes[-1]
    assert list(report.storage_classes) == ["STANDARD_IA"]


def test_bucket_in_another_region(stubbed):
    stubbed.add_client_error(
        "list_objects_v2",
        "PermanentRedirect",
        http_status_code=301,
        response_meta={"HTTPHeaders": {"x-amz-bucket-region": "eu-west-1"}},
    )
    with pytest.raises(S3Error, match="--region eu-west-1") as refusal:
        measure_size("s3://models/llm/")
    assert refusal.value.exit_code == 5


def test_anything_else_is_told_as_aws_said_it(stubbed):
    stubbed.add_client_error("list_objects_v2", "SlowDown", "Reduce your request rate.", 503)
    with pytest.raises(S3Error, match=r"SlowDown: Reduce your request rate\."):
        measure_size("s3://models/llm/")


def test_region_profile_and_endpoint_reach_the_client(monkeypatch, tmp_path):
    (tmp_path / "credentials").write_text(
        "[lab]\naws_access_key_id = a\naws_secret_access_key = b\n"
    )
    client = s3._client("eu-north-1", "lab", "http://localhost:4566")
    assert client.meta.region_name == "eu-north-1"
    assert client.meta.endpoint_url == "http://localhost:4566"
    assert client.meta.config.connect_timeout <= 10
    assert client.meta.config.retries["total_max_attempts"] <= 3
