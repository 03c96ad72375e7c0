# One image for every Airflow component, the command line and the demo's mail sink (docker-compose.yaml).
#
#   docker build -t five-precisions:0.1.0 .
#
# Where pip needs a configuration of its own (an index behind a company's proxy), it comes in as a build secret and
# stays out of every layer:  docker build --secret id=pip_conf,src=pip.conf …   (compose: PIP_CONFIG_FILE, .env.example)

ARG PYTHON_IMAGE=python:3.12.12-slim-bookworm

# ── The virtual environment ─────────────────────────────────────────────────────────────────────────────────────────
FROM ${PYTHON_IMAGE} AS environment

WORKDIR /app
COPY requirements/bootstrap.txt requirements/lock.txt requirements/

# The steps of `make install`: the pinned uv, then exactly what the lock holds, each file by its hash. The lock is one, so
# the tools of development come along: what was tested together is what runs together. Byte code is made here, because
# whoever runs the image cannot write into it.
# uv does not read pip's configuration; an index that stands there is meant for it too. pip itself takes what it finds
# in the secret, and nothing where there is none.
RUN --mount=type=secret,id=pip_conf \
    set -eu; \
    export PIP_CONFIG_FILE=/run/secrets/pip_conf PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1; \
    export UV_NO_CACHE=1 UV_HTTP_TIMEOUT=180 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never; \
    python -m venv .venv; \
    .venv/bin/python -m pip install --quiet --require-hashes --requirement requirements/bootstrap.txt; \
    index="$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)"; \
    if [ -n "$index" ]; then export UV_DEFAULT_INDEX="$index"; fi; \
    .venv/bin/uv pip sync --python .venv/bin/python --quiet --require-hashes --compile-bytecode requirements/lock.txt

# The project itself is a path in the environment, /app/include: it finds its SQL and its templates beside its modules
# (settings.ROOT). Only its name is needed here, and an empty README, so that a change of code leaves this layer alone.
COPY pyproject.toml ./
COPY include/five_precisions/__init__.py include/five_precisions/
COPY include/five_precisions_demo/__init__.py include/five_precisions_demo/
RUN touch README.md \
    && .venv/bin/uv pip install --python .venv/bin/python --quiet --offline --no-cache --no-deps --no-build-isolation \
        --editable .

# ── What runs ───────────────────────────────────────────────────────────────────────────────────────────────────────
FROM ${PYTHON_IMAGE}

LABEL org.opencontainers.image.title="five-precisions" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.description="Five Precisions (五个精准): Airflow with the package, the DAGs and the command line"

# The Airflow user owns what it writes, and nothing of the program. Volumes take over the owner of the folders below.
RUN groupadd --gid 50000 airflow \
    && useradd --uid 50000 --gid airflow --home-dir /opt/airflow --create-home --shell /usr/sbin/nologin airflow \
    && for folder in inbox outbox archive backups data-docs mails; do \
           install -d -o airflow -g airflow -m 0750 "/var/lib/five-precisions/$folder"; \
       done \
    && install -d -o airflow -g airflow -m 0750 /var/log/airflow

WORKDIR /app
COPY --from=environment /app/.venv .venv
COPY include include
# Byte code of our own, for the same reason as above; a file that does not compile stops the build.
RUN .venv/bin/python -m compileall -q include/five_precisions include/five_precisions_demo
COPY config config
COPY dags dags
COPY plugins plugins

# PYTHONPATH: airflow_local_settings.py. AIRFLOW_HOME holds nothing that lasts.
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONPATH=/app/config \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LANG=C.UTF-8 \
    TZ=Asia/Shanghai \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/app/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/app/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=false \
    AIRFLOW__LOGGING__BASE_LOG_FOLDER=/var/log/airflow \
    FIVE_PRECISIONS_VAR=/var/lib/five-precisions

# Health is asked of each component in its own way: see docker-compose.yaml.
USER airflow
CMD ["five-precisions", "--help"]
