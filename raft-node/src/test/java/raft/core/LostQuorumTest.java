package raft.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import raft.core.Effect.RoleName;

import java.util.ArrayList;
import java.util.List;

/** What an operator puts into a stopped node's log, and what nodes make of it. */
final class LostQuorumTest {
    private static final NodeId N1 = new NodeId("n1");
    private static final NodeId N2 = new NodeId("n2");
    private static final NodeId N3 = new NodeId("n3");
    private static final NodeId N4 = new NodeId("n4");
    private static final Configuration FOUNDERS = Configuration.ofVoters(List.of(N1, N2, N3));
    private static final Configuration.Member ALONE = new Configuration.Member(N3, "h:3", true);

    private static Entry command(long index, long term) {
        return new Entry(index, term, Entry.Kind.COMMAND, Bytes.wrap(new byte[] {1}));
    }

    private static Entry members(long index, long term, Entry.Kind kind, Configuration members) {
        return new Entry(index, term, kind, members.encode());
    }

    /** What a node finds that starts after {@code writes} were added to {@code found}. */
    private static Recovered after(Recovered found, List<LogWrite> writes) {
        LogWrite.HardState hardState = found.hardState();
        List<Entry> entries = new ArrayList<>(found.entries());
        for (LogWrite write : writes) {
            switch (write) {
                case LogWrite.HardState next -> hardState = next;
                case LogWrite.Append(List<Entry> more) -> entries.addAll(more);
                case LogWrite.Truncate ignored -> throw new AssertionError(write);
                case LogWrite.StartAfter ignored -> throw new AssertionError(write);
            }
        }
        return new Recovered(
                hardState, found.snapshot(), found.baseIndex(), found.baseTerm(), entries);
    }

    private static Raft elected(Recovered recovered) {
        RaftConfig config = RaftConfig.defaults(N3, FOUNDERS.voters(), 7);
        Raft raft = new Raft(config, recovered, 0);
        long now = raft.deadlineNanos();
        long ticket = 0;
        List<Effect> effects = raft.step(now, new Event.Timer());
        while (!effects.isEmpty()) {
            List<Effect> next = new ArrayList<>();
            for (Effect effect : effects) {
                assertThat(effect).isNotInstanceOf(Effect.Send.class);
                if (effect instanceof Effect.Persist persist) {
                    ticket = persist.ticket();
                    next.addAll(raft.step(now, new Event.Persisted(ticket)));
                }
            }
            effects = next;
        }
        return raft;
    }

    @Test
    void theSurvivorElectsItselfAndCommitsWhatItsLogHolds() {
        // The change that would add n4 was under way when the others were lost.
        Configuration five = FOUNDERS.with(new Configuration.Member(N4, "h:4", true));
        Recovered found =
                new Recovered(
                        new LogWrite.HardState(5, N1),
                        List.of(
                                command(1, 2),
                                members(2, 4, Entry.Kind.CONFIGURATION, five),
                                command(3, 4)));
        assertThat(LostQuorum.members(FOUNDERS, found)).isEqualTo(five);
        Raft raft = elected(after(found, LostQuorum.writes(found, ALONE)));
        assertThat(raft.role()).isEqualTo(RoleName.LEADER);
        assertThat(raft.term()).isGreaterThan(6);
        assertThat(raft.committedConfiguration()).isEqualTo(new Configuration(List.of(ALONE)));
        assertThat(raft.commitIndex()).isEqualTo(5);
        assertThat(raft.entries(1, 9))
                .extracting(Entry::kind)
                .containsExactly(
                        Entry.Kind.COMMAND,
                        Entry.Kind.CONFIGURATION,
                        Entry.Kind.COMMAND,
                        Entry.Kind.RECOVERY,
                        Entry.Kind.NOOP);
    }

    @Test
    void aSnapshotAloneIsEnoughToGoOnFrom() {
        Snapshot snapshot = new Snapshot(9, 4, 100, 0, FOUNDERS);
        Recovered found = new Recovered(new LogWrite.HardState(4, null), snapshot, 9, 4, List.of());
        Raft raft = elected(after(found, LostQuorum.writes(found, ALONE)));
        assertThat(raft.role()).isEqualTo(RoleName.LEADER);
        assertThat(raft.commitIndex()).isEqualTo(11);
    }

    @Test
    void whoIsAddedLaterAcceptsItFromTheLog() {
        RaftConfig waiting = RaftConfig.defaults(N4, List.of(), 7);
        Raft raft = new Raft(waiting, Recovered.EMPTY, 0);
        List<Entry> entries =
                List.of(
                        members(1, 1, Entry.Kind.CONFIGURATION, FOUNDERS),
                        members(2, 6, Entry.Kind.RECOVERY, new Configuration(List.of(ALONE))));
        raft.step(1, new Event.Receive(N3, new Message.AppendEntries(7, 0, 0, entries, 2)));
        assertThat(raft.configuration().voters()).containsExactly(N3);
    }

    @Test
    void anOrdinaryEntryThatChangesSoMuchIsStillAViolation() {
        RaftConfig waiting = RaftConfig.defaults(N4, List.of(), 7);
        Raft raft = new Raft(waiting, Recovered.EMPTY, 0);
        List<Entry> entries =
                List.of(
                        members(1, 1, Entry.Kind.CONFIGURATION, FOUNDERS),
                        members(2, 6, Entry.Kind.CONFIGURATION, new Configuration(List.of(ALONE))));
        assertThatThrownBy(
                        () ->
                                raft.step(
                                        1,
                                        new Event.Receive(
                                                N3,
                                                new Message.AppendEntries(7, 0, 0, entries, 2))))
                .isInstanceOf(IllegalStateException.class);
    }
}
