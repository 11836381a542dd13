/**
 * A cluster that a person drives: the one thread that owns it, what is recorded, which faults are
 * in force.
 *
 * <p>Must not know: commands, terminals. Read first: {@link raft.shell.live.LiveCluster}.
 */
@NullMarked
package raft.shell.live;

import org.jspecify.annotations.NullMarked;
