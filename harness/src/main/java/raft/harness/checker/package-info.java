/**
 * Decides whether a history is linearizable with respect to a model, within a budget, and explains
 * why not.
 *
 * <p>Must not know: files, clusters. Read first: {@link raft.harness.checker.Checker}.
 */
@NullMarked
package raft.harness.checker;

import org.jspecify.annotations.NullMarked;
