"""Pictures from anywhere into one table: sources, splits, simulated presentations, quarantine."""

from components.ingest.params import IngestParams, IngestReport
from components.ingest.step import ingest_faces

__all__ = ["IngestParams", "IngestReport", "ingest_faces"]
