package raft.shell;

import raft.shell.live.Session;

/** A command that is told the session it runs in, before it runs. */
public interface InSession {
    void enter(Session session);
}
