# Base of train, evaluate and export: torch with its CUDA libraries (5-6 GB), shared by the three.
# Arguments and secrets as in vision.Dockerfile. TORCH_FLAGS may name an index of builds without CUDA.
ARG BASE=python:3.11-slim-bookworm
ARG WHEELS=scratch
FROM ${WHEELS} AS wheels

FROM ${BASE}
ARG EXTRAS
ARG WEIGHTS=""
ARG TORCH_FLAGS=""
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
    --mount=type=bind,source=constraints.txt,target=/src/constraints.txt \
    grep -E '^(torch|torchvision)==' /src/constraints.txt > /tmp/torch.txt \
    && pip install --no-cache-dir ${TORCH_FLAGS} -c /src/constraints.txt -r /tmp/torch.txt \
    && rm /tmp/torch.txt
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
LABEL org.opencontainers.image.title="vultus training base" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
USER 10001
