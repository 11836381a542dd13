/**
 * Reading lines and carrying them out: the prompt on a terminal, scripts elsewhere.
 *
 * <p>Must not know: what the commands do. Read first: {@link raft.shell.repl.Engine}.
 */
@NullMarked
package raft.shell.repl;

import org.jspecify.annotations.NullMarked;
