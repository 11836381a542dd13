/** What people read after a run: the summary in words. */
@NullMarked
package raft.harness.report;

import org.jspecify.annotations.NullMarked;
