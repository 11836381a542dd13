/**
 * The nightly run: a matrix of tests within a budget, whatever fails, and what it came to. Tests
 * run in processes of their own, so that none can take the night down. Must not know clusters. Read
 * first: {@link raft.harness.nightly.Night}.
 */
@NullMarked
package raft.harness.nightly;

import org.jspecify.annotations.NullMarked;
