package raft.harness.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import raft.harness.checker.Budget;
import raft.harness.checker.Checker;
import raft.harness.checker.Verdict;
import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.HistoryHeader;
import raft.harness.history.Value;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** One key after the other, by one client or several, as a person types it. */
final class StoreModelTest {
    private final List<HistoryEvent> events = new ArrayList<>();

    private void done(long process, String f, Value argument, Value result) {
        add(process, Type.INVOKE, f, argument, null);
        add(process, Type.OK, f, result, null);
    }

    private void add(long process, Type type, String f, Value value, String error) {
        events.add(
                new HistoryEvent(
                        events.size(),
                        events.size(),
                        process,
                        type,
                        f,
                        Value.of("k"),
                        value,
                        null,
                        error,
                        0,
                        0));
    }

    private Class<?> verdict() {
        Verdict verdict =
                Checker.check(
                        new History(
                                new HistoryHeader(
                                        HistoryHeader.SCHEMA, "t", "shell", "store", List.of(), 1),
                                events),
                        Models.STORE,
                        new Budget(Duration.ofSeconds(10), 64L << 20));
        return verdict.getClass();
    }

    @Test
    void aKeyMayHoldOneKindAfterTheOtherWhenItIsDeletedBetween() {
        done(0, "append", Value.of("a"), Value.of("a"));
        done(0, "append", Value.of("b"), Value.of("b"));
        done(0, "read", Value.NIL, Value.of(Value.of("a"), Value.of("b")));
        done(0, "delete", Value.NIL, Value.NIL);
        done(0, "read", Value.NIL, Value.NIL);
        done(0, "increment", Value.of(2), Value.of(Value.of(2), Value.of(2)));
        done(0, "lease-read", Value.NIL, Value.of(2));
        assertThat(verdict()).isEqualTo(Verdict.Valid.class);
    }

    @ParameterizedTest
    @CsvSource({"read, true", "lease-read, true", "stale-read, false"})
    void anOldValueIsAViolationForReadsThatPromiseTheNewest(String f, boolean violation) {
        done(0, "write", Value.of(1), Value.of(1));
        done(0, "write", Value.of(2), Value.of(2));
        done(1, f, Value.NIL, Value.of(1));
        assertThat(verdict()).isEqualTo(violation ? Verdict.Violation.class : Verdict.Valid.class);
    }

    @Test
    void aQueueThatAnswersOutOfOrderIsAViolation() {
        done(0, "enqueue", Value.of("a"), Value.of("a"));
        done(0, "enqueue", Value.of("b"), Value.of("b"));
        done(0, "dequeue", Value.NIL, Value.of("b"));
        assertThat(verdict()).isEqualTo(Verdict.Violation.class);
    }

    @Test
    void aLockIsGivenAgainToItsHolderWithTheSameTokenOnly() {
        done(0, "acquire", Value.NIL, Value.of(7));
        done(0, "acquire", Value.NIL, Value.of(7));
        done(0, "release", Value.NIL, Value.NIL);
        done(1, "acquire", Value.NIL, Value.of(9));
        assertThat(verdict()).isEqualTo(Verdict.Valid.class);
        done(0, "acquire", Value.NIL, Value.of(10));
        assertThat(verdict()).isEqualTo(Verdict.Violation.class);
    }

    @Test
    void whoOnlyUsedRegistersIsJudgedByTheFasterModel() {
        assertThat(Models.narrowest(Models.STORE, Set.of("read", "write", "cas")))
                .isEqualTo(Models.CAS_REGISTER);
        assertThat(Models.narrowest(Models.STORE, Set.of("read", "delete")))
                .isEqualTo(Models.STORE);
        assertThat(Models.narrowest(Models.SET, Set.of("read"))).isEqualTo(Models.SET);
    }
}
