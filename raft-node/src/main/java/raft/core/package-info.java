/**
 * The Raft algorithm as one pure function: {@code step(now, event) -> effects}.
 *
 * <p>Must not know: files, sockets, threads, clocks, unseeded randomness, or what a command means.
 * Read first: {@link raft.core.Raft}, then {@link raft.core.Event} and {@link raft.core.Effect};
 * then {@code State} and the class of the section that is in question. Section numbers ("§5.4.2")
 * are those of Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm
 * (Extended); "thesis" is Ongaro's dissertation.
 */
@NullMarked
package raft.core;

import org.jspecify.annotations.NullMarked;
