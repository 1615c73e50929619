"""What Prometheus reads: requests by decision, latency, the versions that answer. No subject, ever."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from vultus.contracts.answers import Models

_LATENCY_S = (0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The server's own series, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._requests = Counter(
            "vultus_requests",
            "Answered requests",
            ("operation", "decision", "reason"),
            registry=registry,
        )
        self._latency = Histogram(
            "vultus_request_seconds",
            "Time from the decoded request to the answer",
            ("operation",),
            buckets=_LATENCY_S,
            registry=registry,
        )
        self._responses = Counter(
            "vultus_http_responses", "HTTP responses", ("status",), registry=registry
        )
        self._models = Gauge(
            "vultus_model_info", "1 for the versions in use", ("task", "version"), registry=registry
        )
        self._reloads = Counter(
            "vultus_model_reloads", "Changes of the champion", ("outcome",), registry=registry
        )
        self._subjects = Gauge("vultus_gallery_subjects", "Enrolled subjects", registry=registry)
        self._lost = Counter(
            "vultus_feature_rows_lost", "Rows that could not be written", registry=registry
        )

    def answered(self, operation: str, decision: str, reason: str | None, seconds: float) -> None:
        """One answer went out."""
        self._requests.labels(operation, decision, reason or "none").inc()
        self._latency.labels(operation).observe(seconds)

    def responded(self, status: int) -> None:
        """One HTTP response went out."""
        self._responses.labels(str(status)).inc()

    def serves(self, models: Models) -> None:
        """These versions answer from now on."""
        self._models.clear()
        for task, version in (("recognition", models.recognition), ("pad", models.pad)):
            if version is not None:
                self._models.labels(task, version).set(1)

    def reloaded(self, outcome: str) -> None:
        """The champion changed; outcome: swapped, refused."""
        self._reloads.labels(outcome).inc()

    def enrolled(self, subjects: int) -> None:
        """So many subjects are in the gallery."""
        self._subjects.set(subjects)

    def rows_lost(self, rows: int) -> None:
        """The feature log could not take these rows."""
        self._lost.inc(rows)
