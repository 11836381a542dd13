package raft.core;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Who takes part: voters, whose majorities decide, and learners, who receive everything and are
 * never counted (thesis §4.1, §4.2.1). A value; what is in force when is {@link Membership}'s.
 *
 * @param members by id, ascending, without duplicates; none at all for a node that has yet to be
 *     told
 */
public record Configuration(List<Member> members) {
    /** Of a node that waits to be added: nobody. */
    public static final Configuration NONE = new Configuration(List.of());

    // Flags of an encoded member.
    private static final int VOTER = 1;
    private static final int ADDED = 2;

    private static final int ADDRESS_BYTES_MAX = 512;
    private static final int MEMBER_COUNT_MAX = 1024;

    /**
     * @param address where other members reach it, in the driver's words; may be empty
     * @param addedIndex of the entry that made it a member; 0 for those that the cluster began with
     */
    public record Member(NodeId id, String address, boolean voter, long addedIndex) {
        /** One that the cluster began with. */
        public Member(NodeId id, String address, boolean voter) {
            this(id, address, voter, 0);
        }

        public Member {
            if (address.getBytes(StandardCharsets.UTF_8).length > ADDRESS_BYTES_MAX) {
                throw new IllegalArgumentException(
                        "the address of " + id + " is longer than " + ADDRESS_BYTES_MAX + " bytes");
            }
        }
    }

    public Configuration {
        members = members.stream().sorted(Comparator.comparing(Member::id)).toList();
        if (members.stream().map(Member::id).distinct().count() != members.size()) {
            throw new IllegalArgumentException("duplicate members: " + members);
        }
        if (members.size() > MEMBER_COUNT_MAX) {
            throw new IllegalArgumentException("more than " + MEMBER_COUNT_MAX + " members");
        }
    }

    /** Voters without addresses. */
    public static Configuration ofVoters(List<NodeId> voters) {
        return new Configuration(voters.stream().map(id -> new Member(id, "", true)).toList());
    }

    public List<NodeId> voters() {
        return members.stream().filter(Member::voter).map(Member::id).toList();
    }

    public List<NodeId> learners() {
        return members.stream().filter(member -> !member.voter).map(Member::id).toList();
    }

    public boolean contains(NodeId id) {
        return member(id) != null;
    }

    /** Null where there is none of this id. */
    public @Nullable Member member(NodeId id) {
        for (Member member : members) {
            if (member.id.equals(id)) {
                return member;
            }
        }
        return null;
    }

    public boolean isVoter(NodeId id) {
        return members.stream().anyMatch(member -> member.voter && member.id.equals(id));
    }

    /** With this member, in place of one of the same id. */
    Configuration with(Member member) {
        List<Member> all = new ArrayList<>(without(member.id).members);
        all.add(member);
        return new Configuration(all);
    }

    Configuration without(NodeId id) {
        return new Configuration(members.stream().filter(member -> !member.id.equals(id)).toList());
    }

    /** As it stands in log entries and snapshots. */
    public Bytes encode() {
        int sizeBytes = Integer.BYTES;
        for (Member member : members) {
            sizeBytes += 5 + (member.addedIndex == 0 ? 0 : Long.BYTES);
            sizeBytes += utf8(member.id.name()).length + utf8(member.address).length;
        }
        ByteBuffer out = ByteBuffer.allocate(sizeBytes).putInt(members.size());
        for (Member member : members) {
            put(out, member.id.name());
            put(out, member.address);
            out.put((byte) ((member.voter ? VOTER : 0) | (member.addedIndex == 0 ? 0 : ADDED)));
            if (member.addedIndex != 0) {
                out.putLong(member.addedIndex);
            }
        }
        return Bytes.wrap(out.array());
    }

    /**
     * @throws IllegalArgumentException for bytes that {@link #encode} never writes
     */
    public static Configuration decode(Bytes bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes.unsafeArray());
        try {
            int count = in.getInt();
            if (count < 0 || count > MEMBER_COUNT_MAX) {
                throw new IllegalArgumentException(count + " members");
            }
            List<Member> members = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                NodeId id = new NodeId(text(in));
                String address = text(in);
                int flags = in.get();
                long addedIndex = (flags & ADDED) == 0 ? 0 : in.getLong();
                members.add(new Member(id, address, (flags & VOTER) != 0, addedIndex));
            }
            if (in.hasRemaining()) {
                throw new IllegalArgumentException(in.remaining() + " bytes too many");
            }
            return new Configuration(members);
        } catch (java.nio.BufferUnderflowException e) {
            throw new IllegalArgumentException("a configuration is cut short", e);
        }
    }

    private static void put(ByteBuffer out, String text) {
        byte[] utf8 = utf8(text);
        out.putShort((short) utf8.length).put(utf8);
    }

    private static String text(ByteBuffer in) {
        byte[] utf8 = new byte[Math.min(in.getShort() & 0xFFFF, in.remaining())];
        in.get(utf8);
        return new String(utf8, StandardCharsets.UTF_8);
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Voters, then learners in brackets. */
    @Override
    public String toString() {
        return voters() + (learners().isEmpty() ? "" : " and learners " + learners());
    }
}
