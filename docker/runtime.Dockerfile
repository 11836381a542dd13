# Debian with a small Java run-time: everything of a node but the node itself. The context holds jre/, made by jlink.
ARG BASE=debian:bookworm-slim
FROM ${BASE}
COPY jre /opt/java
# A volume mounted at /data takes over this folder's owner: the node runs without root.
RUN mkdir -p /data /opt/raft && chown 10001:10001 /data
ENV PATH=/opt/java/bin:/usr/bin:/bin LANG=C.UTF-8
WORKDIR /data
USER 10001:10001
