# The container image: `./dev image`, or `docker build -t spinel .`.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
      ca-certificates ccache cmake g++ make ninja-build npm pkg-config \
      libabsl-dev libboost1.81-dev libfmt-dev libjemalloc-dev liblua5.1-0-dev liblzf-dev libssl-dev libxxhash-dev rapidjson-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY CMakeLists.txt CMakePresets.json ./
COPY protocol protocol
COPY storage storage
COPY persistence persistence
COPY server server
ENV CCACHE_SLOPPINESS=pch_defines,time_macros,locale CCACHE_BASEDIR=/src CCACHE_NOHASHDIR=1
RUN cmake --preset release && cmake --build build/release --target spinel-server \
    && install -D -s build/release/spinel-server /out/spinel-server

FROM ${BASE}
# What the binary links beyond libc; the check below fails the build when this list falls behind.
ARG RUNTIME_PACKAGES="libabsl20220623 libfmt9 libjemalloc2 liblua5.1-0 liblzf1 libssl3 libstdc++6"
RUN apt-get update && apt-get install -y --no-install-recommends ${RUNTIME_PACKAGES} \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log \
    && groupadd --system --gid 999 spinel \
    && useradd --system --uid 999 --gid spinel --home-dir /data --no-create-home --shell /usr/sbin/nologin spinel \
    && install -d -o spinel -g spinel /data \
    && install -d /app
COPY --from=build /out/spinel-server /usr/local/bin/
COPY server/container/docker-entrypoint.sh /usr/local/bin/
# The names that Redis, Valkey and Garnet containers are started by. .NET Aspire starts them through
# `/bin/sh -c "..."`; Debian's dash would stay the first process and keep SIGTERM from the server, bash
# gives its place to the command.
RUN ln -sf bash /bin/sh \
    && ln -s spinel-server /usr/local/bin/redis-server \
    && ln -s spinel-server /usr/local/bin/valkey-server \
    && ln -s /usr/local/bin/spinel-server /app/GarnetServer \
    && if ldd /usr/local/bin/spinel-server | grep 'not found'; then exit 1; fi

ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Spinel" \
      org.opencontainers.image.description="In-memory cache server for the clients of Redis, Valkey and Garnet" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"

# The server's defaults in a container: every interface, protected mode off, and a warning while there
# is no password. SPINEL_REQUIRE_PASSWORD=yes makes it refuse to start without one. Every option can be
# set as SPINEL_OPTION or, by the name of a file with the value, SPINEL_OPTION_FILE.
ENV SPINEL_CONTAINER=1
USER 999:999
WORKDIR /data
VOLUME /data
EXPOSE 6379
STOPSIGNAL SIGTERM
# Healthy is ready: a server that loads its data is "starting" for as long as ten minutes, with the
# reason in the health log. `--check-health live` is the check for "has it hung".
HEALTHCHECK --interval=10s --timeout=5s --start-period=600s --retries=3 \
  CMD ["spinel-server", "--check-health", "ready"]
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["spinel-server"]
