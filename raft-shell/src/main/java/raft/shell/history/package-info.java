/** Commands that look at recorded runs and histories, and keep what they show. */
@NullMarked
package raft.shell.history;

import org.jspecify.annotations.NullMarked;
