"""An S3 server on loopback, in this process, with one empty bucket.

What moto holds belongs to the process, not to the server: a bucket outlives the server that it was made by. So each
server starts by forgetting everything, and no two may run at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

BUCKET = "five-precisions"


class S3Server:
    """A running server; `options` are fsspec's storage options of it."""

    def __init__(self, url: str) -> None:
        self.options = {"key": "key", "secret": "secret", "endpoint_url": url}
        import boto3

        self.client: Any = boto3.client(
            "s3", endpoint_url=url, aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1"
        )
        httpx.post(f"{url}/moto-api/reset", trust_env=False).raise_for_status()
        self.client.create_bucket(Bucket=BUCKET)

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=key, Body=content)

    def get(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=BUCKET, Key=key)

    def marks(self) -> dict[str, str]:
        """The ETag of each object, by its key."""
        return {entry["Key"]: entry["ETag"] for entry in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """A server for the length of a block."""
    from moto.server import ThreadedMotoServer

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    try:
        host, port = running.get_host_and_port()
        yield S3Server(f"http://{host}:{port}")
    finally:
        running.stop()
