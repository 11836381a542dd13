package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import raft.harness.docker.Owner.Life;

import java.util.HashMap;
import java.util.Map;

final class OwnerTest {
    private final Owner me = Owner.here("run-1");

    @Test
    void labelsTellTheOwnerAgain() {
        assertThat(Owner.of(me.labels())).isEqualTo(me);
    }

    @Test
    void thisProcessLives() {
        assertThat(me.life(Owner.here("another-run"))).isEqualTo(Life.LIVES);
    }

    @Test
    void aNumberThatWasGivenToAnotherProcessSinceIsDead() {
        assertThat(owner(me.pid(), me.started() + 1, me.machine(), me.boot()).life(me))
                .isEqualTo(Life.DEAD);
    }

    @Test
    void whatWasMadeBeforeThisMachineBootedIsDead() {
        assertThat(owner(me.pid(), me.started(), me.machine(), "earlier").life(me))
                .isEqualTo(Life.DEAD);
    }

    @Test
    void nothingIsKnownOfProcessesElsewhere() {
        assertThat(owner(1, 1, "another machine", "b").life(me)).isEqualTo(Life.UNKNOWN);
        Owner otherNamespace =
                new Owner("r", 1, 1, me.machine(), me.boot(), me.namespace() + "-other");
        assertThat(otherNamespace.life(me)).isEqualTo(Life.UNKNOWN);
    }

    @Test
    void labelsOfOthersHaveNoOwner() {
        assertThat(Owner.of(null)).isNull();
        assertThat(Owner.of(Map.of("com.example", "x"))).isNull();
        Map<String, String> broken = new HashMap<>(me.labels());
        broken.put(Owner.PID, "many");
        assertThat(Owner.of(broken)).isNull();
    }

    private Owner owner(long pid, long started, String machine, String boot) {
        return new Owner("r", pid, started, machine, boot, me.namespace());
    }
}
