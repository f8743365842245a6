# The registry as an image: API, worker, beat and migrations are commands of the same one.
FROM python:3.13-slim AS build
WORKDIR /source
RUN python -m venv /opt/mediamanager
COPY requirements/server.txt requirements/build.txt requirements/
RUN /opt/mediamanager/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/server.txt \
    && pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY fingerprinting fingerprinting
COPY optout optout
COPY workers workers
COPY mediamanager mediamanager
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/mediamanager/bin/pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.13-slim
# libchromaprint fingerprints sound (without it slower code of our own does); bubblewrap walls decoders in.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends bubblewrap libchromaprint1 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 mediamanager \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin mediamanager \
    && install --directory --owner mediamanager --group mediamanager --mode 700 /data /data/keys /index
COPY --from=build /opt/mediamanager /opt/mediamanager
# Compiled kernels of large indexes are kept where a read-only container may write.
ENV PATH=/opt/mediamanager/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 NUMBA_CACHE_DIR=/tmp/numba
USER 10001:10001
WORKDIR /data
EXPOSE 8000
ENTRYPOINT ["mediamanager"]
CMD ["serve", "--data", "/data", "--host", "0.0.0.0", "--port", "8000"]
