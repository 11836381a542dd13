package raft.client;

import java.util.ArrayList;
import java.util.List;

/** Results as bytes: a code, then fields. Codes are in clients: never reuse one. */
final class ResultCodec {
    private static final int DONE = 0;
    private static final int FOUND = 1;
    private static final int ABSENT = 2;
    private static final int COMPARE_FAILED = 3;
    private static final int NUMBER = 4;
    private static final int VERSIONED = 5;
    private static final int ELEMENTS = 6;
    private static final int HELD = 7;
    private static final int KEYS = 8;
    private static final int CONFIGURATION = 9;

    private static final int MEMBER_BYTES_MIN = 5;

    private ResultCodec() {}

    static void write(Output out, Result result) {
        switch (result) {
            case Result.Done() -> out.u8(DONE);
            case Result.Found(Blob value) -> out.u8(FOUND).value(value);
            case Result.Absent() -> out.u8(ABSENT);
            case Result.CompareFailed() -> out.u8(COMPARE_FAILED);
            case Result.Number(long number) -> out.u8(NUMBER).u64(number);
            case Result.Versioned(long version, Blob value) ->
                    out.u8(VERSIONED).u64(version).value(value);
            case Result.Elements(List<Blob> elements) -> {
                out.u8(ELEMENTS).u32(elements.size());
                elements.forEach(out::value);
            }
            case Result.Held(long token, Blob owner) -> out.u8(HELD).u64(token).value(owner);
            case Result.Keys(List<Blob> keys, boolean more) -> {
                out.u8(KEYS).u8(more ? 1 : 0).u32(keys.size());
                keys.forEach(out::key);
            }
            case Result.Configuration(long logIndex, boolean committed, List<Member> members) -> {
                out.u8(CONFIGURATION).u64(logIndex).u8(committed ? 1 : 0).u32(members.size());
                for (Member member : members) {
                    out.id(member.id()).id(member.peerAddress()).u8(member.voter() ? 1 : 0);
                }
            }
        }
    }

    static Result read(Fields in) throws ProtocolException {
        int code = in.u8("result");
        return switch (code) {
            case DONE -> new Result.Done();
            case FOUND -> new Result.Found(in.value());
            case ABSENT -> new Result.Absent();
            case COMPARE_FAILED -> new Result.CompareFailed();
            case NUMBER -> new Result.Number(in.u64("the number"));
            case VERSIONED -> new Result.Versioned(in.u64("the version"), in.value());
            case ELEMENTS -> new Result.Elements(in.values());
            case HELD -> new Result.Held(in.u64("the token"), in.value());
            case KEYS -> {
                boolean more = in.bool("whether there are more keys");
                yield new Result.Keys(in.keys(), more);
            }
            case CONFIGURATION -> readConfiguration(in);
            default -> throw in.invalid("A reply has no result " + code + ".");
        };
    }

    private static Result readConfiguration(Fields in) throws ProtocolException {
        long logIndex = in.u64("the configuration's log index");
        boolean committed = in.bool("whether it is committed");
        int count = in.count("members", MEMBER_BYTES_MIN);
        List<Member> members = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            String id = in.id();
            String address = in.id();
            boolean voter = in.bool("whether it votes");
            try {
                members.add(new Member(id, address, voter));
            } catch (IllegalArgumentException e) {
                throw in.invalid("That is no member: " + e.getMessage() + ".");
            }
        }
        return new Result.Configuration(logIndex, committed, members);
    }
}
