/**
 * One run from parameters to verdict: the interpreter loop, evidence gates, the run's folder.
 *
 * <p>Read first: {@code Interpreter}, then {@code TestRun}.
 */
@NullMarked
package raft.harness.run;

import org.jspecify.annotations.NullMarked;
