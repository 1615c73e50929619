"""ONNX sessions behind the protocols, and the one flow from a picture to an answer."""

from vultus.inference.detector import mtcnn_detector

__all__ = ["mtcnn_detector"]
