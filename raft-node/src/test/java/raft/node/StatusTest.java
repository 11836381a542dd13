package raft.node;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import raft.core.Effect.RoleName;

import java.util.List;

final class StatusTest {
    /** The whole document, since programs of others read it. */
    @Test
    void theDocumentIsOneJsonObject() {
        Status status =
                new Status(
                        "n1",
                        "lab",
                        "00ff",
                        12,
                        RoleName.PRE_CANDIDATE,
                        3,
                        null,
                        "n2",
                        Status.Standing.VOTER,
                        1,
                        9,
                        2,
                        8,
                        7,
                        6,
                        5,
                        "0a",
                        new Status.Snapshot(4, 2, 99),
                        new Status.Members(3, true, List.of(new Status.Member("n1", "h:1", true))),
                        new Status.Members(0, true, List.of()),
                        15,
                        480,
                        new Status.Queues(1, 2, 3),
                        List.of(
                                new Status.Peer(
                                        "n2",
                                        true,
                                        4,
                                        120,
                                        new Status.Progress(
                                                "replicate", 8, 10, 1, 64, 5, 20, 1, 32)),
                                new Status.Peer("n3", false, 0, -1, null)),
                        List.of(new Status.Count("a", 1), new Status.Count("b", 2)),
                        List.of(
                                new Status.ByReason(
                                        "why", "Why.", List.of(new Status.Count("oldTerm", 4)))),
                        List.of(new Status.Timing("fsync", "nanos", 3, 10, 20, 30)),
                        List.of(
                                new Status.Change(
                                        1_700_000_000_123L,
                                        RoleName.FOLLOWER,
                                        RoleName.CANDIDATE,
                                        3,
                                        null,
                                        "n1",
                                        "a \"quoted\" \\ reason\n")));
        // The clock is read when the document is written: its form is looked at, not its moment.
        String clock = "\"clock\":\\{\"utcMillis\":\\d{13},\"monotonicNanos\":-?\\d+\\},";
        assertThat(status.json()).containsPattern(clock);
        assertThat(status.json().replaceFirst(clock, ""))
                .isEqualTo(
                        """
                        {"id":"n1","clusterId":"lab","bootId":"00ff","uptimeMillis":12,\
                        "role":"pre-candidate","term":3,"votedFor":null,"leader":"n2",\
                        "standing":"voter","firstIndex":1,"lastIndex":9,"lastTerm":2,"durableIndex":8,\
                        "commitIndex":7,"appliedIndex":6,"keyCount":5,"stateHash":"0a",\
                        "snapshot":{"index":4,"term":2,"bytes":99},"configuration":{"index":3,\
                        "committed":true,"members":[{"id":"n1","address":"h:1","voter":true}]},\
                        "committedConfiguration":{"index":0,"committed":true,"members":[]},\
                        "leaderContactMillis":15,"deadlineMillis":480,\
                        "queues":{"events":1,"requests":2,"writes":3},\
                        "peers":[{"id":"n2","connected":true,"queuedMessages":4,"rttMicros":120,\
                        "state":"replicate","matchIndex":8,"nextIndex":10,"inflight":1,\
                        "inflightBytes":64,"sendMillis":5,"ackMillis":20,"lagEntries":1,\
                        "lagBytes":32},\
                        {"id":"n3","connected":false,"queuedMessages":0,"rttMicros":-1}],\
                        "counters":{"a":1,"b":2},"why":{"oldTerm":4},\
                        "timings":[{"name":"fsync","unit":"nanos","count":3,"p50":10,"p99":20,\
                        "max":30}],\
                        "transitions":[{"time":"2023-11-14T22:13:20.123Z","from":"follower",\
                        "to":"candidate","term":3,"leader":null,"votedFor":"n1",\
                        "reason":"a \\"quoted\\" \\\\ reason\\u000a"}]}\
                        """);
    }
}
