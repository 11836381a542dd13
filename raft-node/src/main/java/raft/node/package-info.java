/**
 * The process: configuration, event loop, timers, connections. The only package with threads and
 * clocks.
 *
 * <p>Read first: {@code Main}, then {@code Node}.
 */
@NullMarked
package raft.node;

import org.jspecify.annotations.NullMarked;
