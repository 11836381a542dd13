# A pod's network container: owns the network namespace and holds the fault tools. It runs no service, only waits.
ARG BASE=debian:bookworm-slim
FROM ${BASE}
COPY faults /opt/faults
RUN apt-get update \
 && apt-get install -y --no-install-recommends iptables iproute2 procps libfaketime tcc libc6-dev \
 && /opt/faults/make \
 && rm -rf /var/lib/apt/lists/*
CMD ["sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done"]
