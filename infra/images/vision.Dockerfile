# Base of every image without torch: one layer for the five light steps, one each for the servers.
# BASE may carry a digest. WHEELS is an image that holds wheels (`vultus images --wheels`); without
# one pip asks its index. Whatever is true of one building machine alone (mirror, certificates)
# comes as the secrets `pip` and `ca`, and stays out of the image and of its history.
ARG BASE=python:3.11-slim-bookworm
ARG WHEELS=scratch
FROM ${WHEELS} AS wheels

FROM ${BASE}
ARG EXTRAS
ARG WEIGHTS=""
ENV PATH=/opt/vultus/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    VULTUS_HOME=/var/lib/vultus
RUN useradd --uid 10001 --no-create-home --home-dir /var/lib/vultus --shell /usr/sbin/nologin vultus \
    && install -d -o 10001 -g 10001 /var/lib/vultus \
    && python3 -m venv /opt/vultus
RUN --mount=type=bind,from=wheels,target=/wheels \
    --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=secret,id=ca,target=/run/build-ca.crt \
    --mount=type=bind,source=pyproject.toml,target=/src/pyproject.toml \
    --mount=type=bind,source=constraints.txt,target=/src/constraints.txt \
    --mount=type=bind,source=infra/images/requirements.py,target=/src/requirements.py \
    python3 /src/requirements.py /src/pyproject.toml "${EXTRAS}" > /tmp/requirements.txt \
    && pip install --no-cache-dir -c /src/constraints.txt -r /tmp/requirements.txt \
    && rm /tmp/requirements.txt
RUN --mount=type=bind,from=wheels,target=/wheels \
    --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=secret,id=ca,target=/run/build-ca.crt \
    --mount=type=bind,target=/src,rw \
    pip install --no-cache-dir --no-deps /src \
    && if [ -n "${WEIGHTS}" ]; then \
         python3 /src/infra/images/weights.py /var/lib/vultus/weights ${WEIGHTS}; fi
ARG REVISION=unknown
ENV VULTUS_GIT_COMMIT=${REVISION}
LABEL org.opencontainers.image.title="vultus base" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
USER 10001
