# The node: one small layer on the run-time, so that another jar costs a second and no more.
ARG RUNTIME
FROM ${RUNTIME}
COPY raft-node.jar /opt/raft/raft-node.jar
# Serial collector and C1 only: five nodes share two cores, and start-up counts more than peak speed.
ENTRYPOINT ["/opt/java/bin/java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xms16m", "-Xmx160m", "-Xss512k", \
            "-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError", "-jar", "/opt/raft/raft-node.jar"]
