# MLflow's server: tracking and registry for a team; artifacts go through it to the object store.
# Arguments and secrets as in vision.Dockerfile.
ARG BASE=python:3.11-slim-bookworm
ARG WHEELS=scratch
FROM ${WHEELS} AS wheels

FROM ${BASE}
ENV PATH=/opt/mlflow/bin:$PATH PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --uid 10001 --no-create-home --home-dir /var/lib/mlflow --shell /usr/sbin/nologin mlflow \
    && install -d -o 10001 -g 10001 /var/lib/mlflow \
    && python3 -m venv /opt/mlflow
RUN --mount=type=bind,from=wheels,target=/wheels \
    --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=secret,id=ca,target=/run/build-ca.crt \
    --mount=type=bind,source=constraints.txt,target=/src/constraints.txt \
    grep -E '^(mlflow|boto3)==' /src/constraints.txt > /tmp/mlflow.txt \
    && pip install --no-cache-dir -c /src/constraints.txt -r /tmp/mlflow.txt \
    && rm /tmp/mlflow.txt
ARG REVISION=unknown
ENV MLFLOW_DISABLE_TELEMETRY=true
LABEL org.opencontainers.image.title="vultus mlflow" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
EXPOSE 5000
VOLUME /var/lib/mlflow
USER 10001
ENTRYPOINT ["mlflow", "server", "--host", "0.0.0.0", "--port", "5000"]
CMD ["--backend-store-uri", "sqlite:////var/lib/mlflow/mlflow.db"]
