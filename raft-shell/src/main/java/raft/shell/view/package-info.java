/**
 * What people see: tables, aligned logs, colours. Pure functions from data to lines.
 *
 * <p>Must not know: clusters, commands, terminals. Read first: {@link raft.shell.view.Paint}.
 */
@NullMarked
package raft.shell.view;

import org.jspecify.annotations.NullMarked;
