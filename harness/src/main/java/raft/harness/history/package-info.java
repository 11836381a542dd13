/**
 * Histories: what clients asked, what they were told, which faults were in force, as one total
 * order of events.
 *
 * <p>Must not know: who recorded a history or what will be done with it. Read first: {@link
 * raft.harness.history.HistoryEvent}.
 */
@NullMarked
package raft.harness.history;

import org.jspecify.annotations.NullMarked;
