"""What lies at an ``s3://`` address: objects, bytes, storage classes.

boto3 is imported on use. Every refusal of AWS becomes one of a few errors that say what to try
next; waiting is bounded, so an unreachable endpoint is told within half a minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from modeler.predict.artifact import Contents, S3Bytes, Traffic, read_all
from modeler.predict.artifact.bytes_source import MOST_OVER_NETWORK, TooFar
from modeler.predict.size import StoredFile

# Objects in these have to be restored, which takes minutes to days, before they can be read.
ARCHIVED: Final = ("GLACIER", "DEEP_ARCHIVE")

_CONNECT_TIMEOUT_S: Final = 5
_READ_TIMEOUT_S: Final = 20
_ATTEMPTS: Final = 2

_DENIED: Final = frozenset(
    {
        "403",
        "AccessDenied",
        "AllAccessDisabled",
        "AuthFailure",
        "ExpiredToken",
        "Forbidden",
        "InvalidAccessKeyId",
        "InvalidToken",
        "SignatureDoesNotMatch",
    }
)


class S3Error(Exception):
    """AWS refused or could not be reached.

    Attributes
    ----------
    source : str. The address asked for.
    problem : str. What happened, and what to try next.
    """

    exit_code = 5

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(source, problem)
        self.source, self.problem = source, problem

    def __str__(self) -> str:
        return f"{self.source}: {self.problem}"


class BadAddress(S3Error):
    """Not an address of S3, or an AWS profile that does not exist."""

    exit_code = 2


class BucketNotFound(S3Error):
    """No bucket has this name."""

    exit_code = 2


class EmptyPrefix(S3Error):
    """The bucket is there; nothing lies under the key."""

    exit_code = 2


class AccessDenied(S3Error):
    """The credentials do not allow it, or are not valid."""


class NoCredentials(S3Error):
    """No credentials were found, or not all of them."""


class Unreachable(S3Error):
    """The endpoint did not answer."""


@dataclass(frozen=True)
class Listing:
    """Objects at an address.

    Parameters
    ----------
    kind : str. ``s3_object`` or ``s3_prefix``.
    files : tuple of StoredFile. In order of their keys.
    notes : tuple of str. What to know before relying on it.
    contents : Contents, optional. What their headers say; None of formats that are not read.
    traffic : Traffic. Requests for those headers, and their bytes.
    """

    kind: str
    files: tuple[StoredFile, ...]
    notes: tuple[str, ...]
    contents: Contents | None = None
    traffic: Traffic = field(default_factory=Traffic)


def list_source(
    source: str,
    *,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
) -> Listing:
    """List the objects of an address.

    A key names the object if there is one; otherwise everything under ``key/``; otherwise every
    key that starts so. A key that ends in ``/``, or none at all, is a prefix.

    Parameters
    ----------
    source : str. ``s3://bucket/key``.
    region, profile, endpoint_url : str, optional. By default the usual AWS configuration.

    Returns
    -------
    Listing

    Raises
    ------
    S3Error
        One of its kinds: `BadAddress`, `BucketNotFound`, `EmptyPrefix`, `AccessDenied`,
        `NoCredentials`, `Unreachable`.
    """
    bucket, _, key = source.removeprefix("s3://").partition("/")
    if not bucket:
        raise BadAddress(source, "no bucket: write s3://bucket/key")
    with _explained(source, bucket, profile, endpoint_url):
        client = _client(region, profile, endpoint_url)
        if key and not key.endswith("/"):
            found = _object(client, bucket, key)
            if found is not None:
                notes = _archive_notes((found,))
                if _has_any(client, bucket, f"{key}/"):
                    notes += (
                        f"objects also lie under {key}/; write s3://{bucket}/{key}/ for them",
                    )
                return _opened(client, bucket, Listing("s3_object", (found,), notes))
        folder = key if not key or key.endswith("/") else f"{key}/"
        files = tuple(_objects(client, bucket, folder))
        notes = ()
        if not files and folder != key:
            files = tuple(_objects(client, bucket, key))
            notes = (f"no object {key} and no folder {key}/: every key that starts so is counted",)
        if files:
            listing = Listing("s3_prefix", files, notes + _archive_notes(files))
            return _opened(client, bucket, listing)
    raise EmptyPrefix(
        source,
        f"nothing lies under it in bucket {bucket}; try: aws s3 ls s3://{bucket}/",
    )


def _opened(client: Any, bucket: str, listing: Listing) -> Listing:
    """The same with what the headers of its objects say; archived ones cannot be read."""
    from botocore.exceptions import ClientError

    readable = [file for file in listing.files if file.storage_class not in ARCHIVED]
    traffic = Traffic()
    sources = [S3Bytes(client, bucket, f.name, f.size_bytes, traffic) for f in readable]
    notes = listing.notes
    contents = None
    if len(readable) == len(listing.files):
        try:
            contents = read_all(sources)
        except ClientError as error:  # the sizes are known all the same
            code = error.response["Error"].get("Code", "")
            notes += (f"headers could not be read ({code}): bytes are those of whole objects",)
        except TooFar:
            notes += (
                f"more than {MOST_OVER_NETWORK / 1e6:.0f} MB would have to be brought to count "
                "what is in it: bytes are those of whole objects; size a local copy for more",
            )
    return Listing(listing.kind, listing.files, notes, contents, traffic)


def _client(region: str | None, profile: str | None, endpoint_url: str | None) -> Any:
    import boto3
    from botocore.config import Config

    session = boto3.Session(profile_name=profile, region_name=region)
    config = Config(
        connect_timeout=_CONNECT_TIMEOUT_S,
        read_timeout=_READ_TIMEOUT_S,
        retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
    )
    return session.client("s3", endpoint_url=endpoint_url, config=config)


def _object(client: Any, bucket: str, key: str) -> StoredFile | None:
    """The object of that very key, if there is one that may be seen."""
    from botocore.exceptions import ClientError

    try:
        head = client.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        # Without leave to list, S3 answers 403 for a key that is not there. Listing, which comes
        # next, tells a missing bucket from a missing key and names what is denied.
        if error.response["Error"]["Code"] in {"403", "404", "NoSuchKey", "NotFound"}:
            return None
        raise
    # S3 leaves the header out for the standard class.
    return StoredFile(key, head["ContentLength"], head.get("StorageClass", "STANDARD"))


def _objects(client: Any, bucket: str, prefix: str) -> Iterator[StoredFile]:
    """Every object under a prefix, page by page; the empty markers of folders left out."""
    paginator = client.get_paginator("list_objects_v2")
    for page in paginator.paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", ()):
            if item["Size"] == 0 and item["Key"].endswith("/"):
                continue
            yield StoredFile(item["Key"], item["Size"], item.get("StorageClass", "STANDARD"))


def _has_any(client: Any, bucket: str, prefix: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        page = client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    except ClientError:  # the object itself was readable; the note is not worth a refusal
        return False
    return bool(page.get("KeyCount", 0))


def _archive_notes(files: tuple[StoredFile, ...]) -> tuple[str, ...]:
    archived = [file for file in files if file.storage_class in ARCHIVED]
    if not archived:
        return ()
    total = sum(file.size_bytes for file in archived)
    return (
        f"{len(archived)} objects ({total:,} bytes) are archived "
        f"({', '.join(sorted({str(file.storage_class) for file in archived}))}): "
        "they must be restored before a replica can fetch them",
    )


@contextmanager
def _explained(
    source: str, bucket: str, profile: str | None, endpoint_url: str | None
) -> Iterator[None]:
    """Turn what botocore raises into the errors of this module."""
    from botocore import exceptions as boto

    who = f" of profile {profile}" if profile else ""
    try:
        yield
    except boto.ProfileNotFound as error:
        raise BadAddress(
            source, f'no AWS profile "{profile}"; list them with: aws configure list-profiles'
        ) from error
    except (boto.NoCredentialsError, boto.PartialCredentialsError) as error:
        raise NoCredentials(
            source,
            "no AWS credentials: give --profile NAME, run aws configure or aws sso login, or set "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ) from error
    except (
        boto.TokenRetrievalError,
        boto.SSOError,
        boto.CredentialRetrievalError,
    ) as error:
        raise NoCredentials(
            source, f"the credentials{who} could not be fetched ({error}); try: aws sso login"
        ) from error
    except boto.ClientError as error:
        raise _from_client_error(source, bucket, who, error) from error
    except (boto.HTTPClientError, boto.ConnectionError) as error:
        where = endpoint_url or "AWS"
        raise Unreachable(
            source,
            f"{where} could not be reached ({error}); check the network, --region and "
            "--endpoint-url",
        ) from error
    except (boto.ParamValidationError, ValueError) as error:
        # botocore raises ValueError for an endpoint that is no address.
        raise BadAddress(source, f"not a valid bucket, region or endpoint: {error}") from error
    except boto.BotoCoreError as error:
        raise S3Error(source, str(error)) from error


def _from_client_error(source: str, bucket: str, who: str, error: Any) -> S3Error:
    code = str(error.response["Error"].get("Code", ""))
    text = str(error.response["Error"].get("Message", ""))
    if code in {"NoSuchBucket", "404"}:
        return BucketNotFound(
            source, f"no bucket {bucket}; check the name, and --profile for the account"
        )
    if code in _DENIED:
        return AccessDenied(
            source,
            f"denied by AWS ({code}): the credentials{who} need s3:GetObject on the key and "
            f"s3:ListBucket on {bucket}; try another --profile",
        )
    if code in {"PermanentRedirect", "AuthorizationHeaderMalformed", "301", "400"}:
        where = error.response["ResponseMetadata"].get("HTTPHeaders", {}).get("x-amz-bucket-region")
        return S3Error(
            source,
            f"the bucket is in another region ({code}); "
            f"give --region {where or 'with the one it lies in'}",
        )
    return S3Error(source, f"AWS answered {code}: {text}")
