/**
 * Recorded runs over HTTP, for a person on this machine: loopback only, reading only, nothing
 * outside the folder of all runs.
 */
@NullMarked
package raft.harness.serve;

import org.jspecify.annotations.NullMarked;
