package raft.kv;

import raft.client.Blob;
import raft.client.Limits;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * What a key holds. Owned by the {@link KeyValueStore}; collections are changed in place, {@link
 * #copy} is what outlives that.
 */
sealed interface Item {
    /** In snapshots: never change one. */
    enum Kind {
        PLAIN(0, "a plain value"),
        COUNTER(1, "a counter"),
        LIST(2, "a list"),
        SET(3, "a set"),
        QUEUE(4, "a queue"),
        LOCK(5, "a lock");

        final int code;
        final String words;

        Kind(int code, String words) {
            this.code = code;
            this.words = words;
        }
    }

    Kind kind();

    /** A fingerprint of the content; equal contents have equal ones, whatever led to them. */
    long contentHash();

    /** What a later change of this item does not reach. */
    Item copy();

    /**
     * A value with its version.
     *
     * @param contentHash kept, so that replacing a value need not read the old one again
     */
    record Plain(Blob value, long version, long contentHash) implements Item {
        static Plain of(Blob value, long version) {
            return new Plain(value, version, Hash.mix(version, value));
        }

        @Override
        public Kind kind() {
            return Kind.PLAIN;
        }

        @Override
        public Item copy() {
            return this;
        }
    }

    record Counter(long total) implements Item {
        @Override
        public Kind kind() {
            return Kind.COUNTER;
        }

        @Override
        public long contentHash() {
            return Hash.mix(total);
        }

        @Override
        public Item copy() {
            return this;
        }
    }

    record Lock(Blob owner, long token) implements Item {
        @Override
        public Kind kind() {
            return Kind.LOCK;
        }

        @Override
        public long contentHash() {
            return Hash.mix(token, owner);
        }

        @Override
        public Item copy() {
            return this;
        }
    }

    /** A list or a queue. */
    final class Sequence implements Item {
        private final Kind kind;
        private final ArrayDeque<Blob> elements = new ArrayDeque<>();
        private int sizeBytes;
        private long hash;

        Sequence(Kind kind) {
            this.kind = kind;
        }

        /** Whether it stays within {@link Limits#COLLECTION_BYTES_MAX}. */
        boolean hasRoomFor(Blob element) {
            return sizeBytes + bytes(element) <= Limits.COLLECTION_BYTES_MAX;
        }

        void add(Blob element) {
            elements.addLast(element);
            sizeBytes += bytes(element);
            hash = Hash.appended(hash, Hash.mix(0, element));
        }

        /** Takes the first element; there must be one. */
        Blob take() {
            int count = elements.size();
            Blob first = elements.removeFirst();
            sizeBytes -= bytes(first);
            hash = Hash.withoutFirst(hash, Hash.mix(0, first), count);
            return first;
        }

        int count() {
            return elements.size();
        }

        List<Blob> elements() {
            return new ArrayList<>(elements);
        }

        @Override
        public Kind kind() {
            return kind;
        }

        @Override
        public long contentHash() {
            return Hash.mix(hash, elements.size());
        }

        @Override
        public Item copy() {
            Sequence copy = new Sequence(kind);
            copy.elements.addAll(elements);
            copy.sizeBytes = sizeBytes;
            copy.hash = hash;
            return copy;
        }
    }

    final class Members implements Item {
        private final TreeSet<Blob> elements = new TreeSet<>();
        private int sizeBytes;
        private long hash;

        boolean hasRoomFor(Blob element) {
            return elements.contains(element)
                    || sizeBytes + bytes(element) <= Limits.COLLECTION_BYTES_MAX;
        }

        void add(Blob element) {
            if (elements.add(element)) {
                sizeBytes += bytes(element);
                hash += Hash.mix(0, element);
            }
        }

        int count() {
            return elements.size();
        }

        List<Blob> elements() {
            return new ArrayList<>(elements);
        }

        @Override
        public Kind kind() {
            return Kind.SET;
        }

        @Override
        public long contentHash() {
            return Hash.mix(hash, elements.size());
        }

        @Override
        public Item copy() {
            Members copy = new Members();
            copy.elements.addAll(elements);
            copy.sizeBytes = sizeBytes;
            copy.hash = hash;
            return copy;
        }
    }

    /** What an element weighs, its length included: as in a reply. */
    private static int bytes(Blob element) {
        return Integer.BYTES + element.sizeBytes();
    }
}
