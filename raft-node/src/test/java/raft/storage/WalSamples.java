package raft.storage;

import org.jspecify.annotations.Nullable;

import raft.core.Bytes;
import raft.core.Entry;
import raft.core.LogWrite;
import raft.core.NodeId;
import raft.core.Recovered;
import raft.core.Snapshot;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;

/** Logs to test with, and what must be recovered from them. */
final class WalSamples {
    static final int SEGMENT_BYTES = 4096;

    private WalSamples() {}

    static Wal.Opened open(MemoryDisk disk) throws Exception {
        return Wal.open(disk, SEGMENT_BYTES, new SplittableRandom(disk.hashCode())::nextLong);
    }

    static LogWrite hardState(long term, String votedFor) {
        return new LogWrite.HardState(term, new NodeId(votedFor));
    }

    static Entry entry(long index, long term, int payloadBytes) {
        byte[] payload = new byte[payloadBytes];
        new Random(index * 31 + term).nextBytes(payload);
        return new Entry(index, term, Entry.Kind.COMMAND, Bytes.wrap(payload));
    }

    static LogWrite append(Entry... entries) {
        return new LogWrite.Append(List.of(entries));
    }

    /** What the writes mean, by a second, dumb reading of them. */
    static Recovered meaning(List<LogWrite> writes) {
        return meaning(writes, null);
    }

    /** Likewise, beside a snapshot. */
    static Recovered meaning(List<LogWrite> writes, @Nullable Snapshot snapshot) {
        long base = 0;
        long baseTerm = 0;
        LogWrite.HardState state = LogWrite.HardState.INITIAL;
        List<Entry> entries = new ArrayList<>();
        for (LogWrite write : writes) {
            switch (write) {
                case LogWrite.HardState next -> state = next;
                case LogWrite.Append append -> entries.addAll(append.entries());
                case LogWrite.Truncate(long from) ->
                        entries.removeIf(entry -> entry.index() >= from);
                case LogWrite.StartAfter(long index, long term, boolean keeps) -> {
                    entries.removeIf(entry -> !keeps || entry.index() <= index);
                    base = index;
                    baseTerm = term;
                }
            }
        }
        return new Recovered(state, snapshot, base, baseTerm, entries);
    }

    /** One write per record, so that a prefix of the list is a prefix of the records. */
    static List<LogWrite> singles(List<LogWrite> writes) {
        List<LogWrite> singles = new ArrayList<>();
        for (LogWrite write : writes) {
            if (write instanceof LogWrite.Append append) {
                append.entries().forEach(entry -> singles.add(append(entry)));
            } else {
                singles.add(write);
            }
        }
        return singles;
    }

    static int recordBytes(LogWrite single) {
        return WalFormat.recordBytes(
                switch (single) {
                    case LogWrite.HardState state ->
                            state.votedFor() == null ? 0 : state.votedFor().name().length();
                    case LogWrite.Append append ->
                            append.entries().getFirst().payload().sizeBytes();
                    case LogWrite.Truncate ignored -> 0;
                    case LogWrite.StartAfter ignored -> 0;
                });
    }
}
