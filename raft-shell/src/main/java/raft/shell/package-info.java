/**
 * Commands, each defined once for the command line and the prompt.
 *
 * <p>Must not know: Docker, Raft's internals.
 */
@NullMarked
package raft.shell;

import org.jspecify.annotations.NullMarked;
