/**
 * Between histories and the client protocol: operations as requests, results as values.
 *
 * <p>Shared by every kind of cluster whose nodes speak the protocol, so that an operation means the
 * same on containers and in the simulation. Must not know: how requests travel.
 */
@NullMarked
package raft.harness.protocol;

import org.jspecify.annotations.NullMarked;
