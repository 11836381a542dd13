package raft.core;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * What has been handed to the disk, what is known to be on it, and the messages that must wait for
 * it.
 *
 * <p>Every message that carries a promise — a vote, a request for votes, an acknowledgement —
 * leaves only once what it promises would survive a crash (§5.1, thesis §3.8). The disk is one
 * stream, so "up to ticket t" covers everything handed over before.
 */
final class Durability {
    private final RaftLog log;
    private final List<LogWrite> writes = new ArrayList<>();
    private final ArrayDeque<Issued> outstanding = new ArrayDeque<>();
    private final ArrayDeque<Held> held = new ArrayDeque<>();
    private long issuedTicket;
    private long persistedTicket;
    private long hardStateTicket;
    private long logTicket;
    private long durableIndex;

    Durability(RaftLog log) {
        this.log = log;
        this.durableIndex = log.lastIndex();
    }

    void writeHardState(LogWrite.HardState hardState) {
        writes.add(hardState);
        hardStateTicket = issuedTicket + 1;
    }

    void writeEntries(List<Entry> entries) {
        writes.add(new LogWrite.Append(entries));
        logTicket = issuedTicket + 1;
    }

    void writeTruncation(long fromIndex) {
        writes.add(new LogWrite.Truncate(fromIndex));
        logTicket = issuedTicket + 1;
        durableIndex = Math.min(durableIndex, fromIndex - 1);
    }

    /** Sends {@code message} when the current term and vote are durable. */
    void sendAfterHardState(NodeId to, Message message) {
        held.addLast(new Held(hardStateTicket, to, message));
    }

    /** Sends {@code message} when the current term, vote and log are durable. */
    void sendAfterLog(NodeId to, Message message) {
        held.addLast(new Held(Math.max(hardStateTicket, logTicket), to, message));
    }

    /** Turns the writes collected since the last call into one effect. */
    void issue(List<Effect> effects) {
        if (writes.isEmpty()) {
            return;
        }
        issuedTicket++;
        outstanding.addLast(new Issued(issuedTicket, log.lastIndex(), log.lastTerm()));
        effects.add(new Effect.Persist(issuedTicket, writes));
        writes.clear();
    }

    /**
     * Notes that everything up to {@code ticket} is durable.
     *
     * <p>The index that becomes durable is the one that was last when the write was issued, and
     * only if the log still holds that entry: after a change of leader another entry may stand
     * there which is not on the disk yet.
     */
    void persisted(long ticket) {
        if (ticket > issuedTicket) {
            throw new IllegalStateException(
                    "ticket " + ticket + " was never issued; the last was " + issuedTicket);
        }
        persistedTicket = Math.max(persistedTicket, ticket);
        while (!outstanding.isEmpty() && outstanding.peekFirst().ticket <= persistedTicket) {
            Issued issued = outstanding.removeFirst();
            if (log.matches(issued.lastIndex, issued.lastTerm)) {
                durableIndex = Math.max(durableIndex, issued.lastIndex);
            }
        }
    }

    /**
     * Lets go of messages whose promise is durable; those of an earlier term have lost their
     * meaning and are dropped.
     */
    void release(long currentTerm, List<Effect> effects) {
        for (var waiting = held.iterator(); waiting.hasNext(); ) {
            Held next = waiting.next();
            if (next.ticket <= persistedTicket) {
                waiting.remove();
                if (next.message.term() == currentTerm) {
                    effects.add(new Effect.Send(next.to, next.message));
                }
            }
        }
    }

    boolean isHardStateDurable() {
        return hardStateTicket <= persistedTicket;
    }

    /** Greatest index up to which this node's log is on its disk. */
    long durableIndex() {
        return durableIndex;
    }

    private record Issued(long ticket, long lastIndex, long lastTerm) {}

    private record Held(long ticket, NodeId to, Message message) {}
}
