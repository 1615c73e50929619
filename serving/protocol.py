"""KServe, imported so that it reads our choices and not this process's command line.

KServe parses sys.argv while it is imported; what it would find there is meant for others.
"""

import sys

_given = sys.argv
sys.argv = [
    "serving",
    "--enable_grpc=false",
    "--configure_logging=false",
    "--enable_latency_logging=false",
]
try:
    from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
    from kserve.errors import InvalidInput, ModelNotFound, ModelNotReady, UnsupportedProtocol
    from kserve.protocol.rest.server import RESTServer
finally:
    sys.argv = _given

__all__ = [
    "InferOutput",
    "InferRequest",
    "InferResponse",
    "InvalidInput",
    "Model",
    "ModelNotFound",
    "ModelNotReady",
    "ModelServer",
    "RESTServer",
    "UnsupportedProtocol",
]
