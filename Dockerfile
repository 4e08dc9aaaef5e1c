# One image for all processes; compose.yaml says which of them a container runs.
# The first stage has pip and the sources; what runs has the installed packages alone.
FROM python:3.11-slim-bookworm AS build
WORKDIR /source
RUN python -m venv --without-pip /service
COPY requirements.txt .
RUN pip --python /service/bin/python install --no-cache-dir --no-compile \
      --disable-pip-version-check --require-hashes -r requirements.txt
COPY pyproject.toml requirements.in requirements-otel.in README.md LICENSE celery_app.py wsgi.py ./
COPY vomind_queue vomind_queue
COPY simulator simulator
COPY devserver devserver
RUN pip --python /service/bin/python install --no-cache-dir --no-deps --disable-pip-version-check .

FROM python:3.11-slim-bookworm
# The interpreter's own pip is a build tool, too.
RUN python -m pip uninstall --yes pip setuptools wheel \
 && groupadd --system --gid 10001 vomind \
 && useradd --system --uid 10001 --gid vomind --home-dir /data --create-home vomind
COPY --from=build /service /service
ENV PATH=/service/bin:$PATH PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=3000 DATA_DIR=/data LOG_FORMAT=json
USER vomind
WORKDIR /data
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=2)"]
CMD ["python", "-m", "vomind_queue.processes.web"]
