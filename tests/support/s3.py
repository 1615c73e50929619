"""A real S3 protocol server in this process (moto), on a free loopback port."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def local_s3(bucket: str = "vultus") -> Iterator[str]:
    """Start the server with one empty bucket; yields its endpoint URL."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
        ).create_bucket(Bucket=bucket)
        yield endpoint
    finally:
        server.stop()
