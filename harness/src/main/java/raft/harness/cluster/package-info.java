/**
 * What a system under test looks like to the harness, whatever it runs on.
 *
 * <p>Must not know: containers, simulation. Read first: {@link raft.harness.cluster.Cluster}.
 */
@NullMarked
package raft.harness.cluster;

import org.jspecify.annotations.NullMarked;
