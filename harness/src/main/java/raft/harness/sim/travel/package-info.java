/**
 * Going to and fro in a simulated run, and changing it by hand. Rewind is repetition: a run is its
 * options, what its script asked for and what a person decided, so going back means running anew up
 * to an earlier event.
 *
 * <p>Must not know: the node's classes, clocks, threads. Read first: {@link
 * raft.harness.sim.travel.Travel}.
 */
@NullMarked
package raft.harness.sim.travel;

import org.jspecify.annotations.NullMarked;
