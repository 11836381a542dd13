package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.Link;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The text of {@link PacketRules} word by word; that a kernel takes it, containers show. */
final class PacketRulesTest {
    private static final List<Link> LINK = List.of(new Link("n1", "n2"));

    @Test
    void stagesAreTheWordsOfTheProgram() {
        assertThat(PacketRules.stage(new FaultAction.PacketDelay(LINK, 50, 25)))
                .isEqualTo("delay:50:25");
        assertThat(PacketRules.stage(new FaultAction.PacketReordering(LINK, 20, 40)))
                .isEqualTo("reorder:20:40");
        assertThat(PacketRules.stage(new FaultAction.PacketDuplication(LINK, 5)))
                .isEqualTo("duplicate:5");
        assertThat(PacketRules.stage(new FaultAction.PacketCorruption(LINK, 2)))
                .isEqualTo("corrupt:2");
        assertThatThrownBy(() -> PacketRules.stage(new FaultAction.PacketLoss(LINK, 2)))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void copiesPassAndOtherPacketsGoToTheQueueOfTheirReceiver() {
        assertThat(PacketRules.sendingRules(Map.of("10.0.0.3", 3, "10.0.0.2", 2)))
                .isEqualTo(
                        """
                        *filter
                        :RAFTQUEUE - [0:0]
                        -F RAFTQUEUE
                        -A RAFTQUEUE -m mark --mark 0x7af7 -j RETURN
                        -A RAFTQUEUE -d 10.0.0.2 -j NFQUEUE --queue-num 2 --queue-bypass
                        -A RAFTQUEUE -d 10.0.0.3 -j NFQUEUE --queue-num 3 --queue-bypass
                        COMMIT
                        """);
    }

    @Test
    void arrivalsAreCountedBeforeAnyFilterAndReadBackByName() {
        assertThat(PacketRules.arrivalRules(new TreeMap<>(Map.of("n2", "10.0.0.2"))))
                .isEqualTo(
                        """
                        *mangle
                        :RAFTARRIVED - [0:0]
                        -F RAFTARRIVED
                        -A RAFTARRIVED -s 10.0.0.2 -p udp -m udp --dport 7098 -m comment --comment arrived:n2
                        COMMIT
                        """);
        assertThat(
                        PacketRules.arrivals(
                                """
                                [57:1938] -A RAFTARRIVED -s 10.0.0.2/32 -p udp -m udp --dport 7098 -m comment --comment "arrived:n2"
                                [0:0] -A RAFTARRIVED -s 10.0.0.3/32 -p udp -m udp --dport 7098 -m comment --comment arrived:n3
                                [9:9] -A PREROUTING -j RAFTARRIVED
                                """))
                .isEqualTo(Map.of("n2", 57L, "n3", 0L));
    }

    @Test
    void statisticsAreReadByQueue() {
        assertThat(
                        PacketRules.statistics(
                                """
                                queue 2 seen 50 held 49 doubled 21 corrupted 9 least 83218 most 118954 all 5073652
                                queue 3 seen 0 held 0 doubled 0 corrupted 0 least 0 most 0 all 0
                                """))
                .isEqualTo(
                        Map.of(
                                2,
                                new PacketRules.Statistics(
                                        50, 49, 21, 9, 83_218, 118_954, 5_073_652),
                                3,
                                PacketRules.Statistics.NONE));
        assertThat(PacketRules.statistics("")).isEmpty();
    }
}
