/**
 * Sequential specifications as records of pure functions.
 *
 * <p>Must not know: how histories are searched. Read first: {@link raft.harness.model.Model}.
 */
@NullMarked
package raft.harness.model;

import org.jspecify.annotations.NullMarked;
