package raft.node;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.List;

@Timeout(60)
final class MailboxTest {
    @Test
    void everythingIsTakenAtOnceInOrder() throws Exception {
        Mailbox<Integer> box = new Mailbox<>();
        box.put(1);
        box.putAll(List.of(2, 3));
        assertThat(box.itemCount()).isEqualTo(3);
        assertThat(box.take(Long.MAX_VALUE)).containsExactly(1, 2, 3);
        assertThat(box.take(0)).isEmpty();
    }

    @Test
    void nothingIsLostBetweenThreads() throws Exception {
        Mailbox<Integer> box = new Mailbox<>(10, 100);
        int perThread = 5000;
        List<Thread> senders = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            int first = t * perThread;
            senders.add(
                    Threads.start(
                            "sender",
                            () -> {
                                try {
                                    for (int i = 0; i < perThread; i++) {
                                        box.putPatiently(List.of(first + i), 30);
                                    }
                                } catch (InterruptedException e) {
                                    throw new IllegalStateException(e);
                                }
                            }));
        }
        List<Integer> all = new ArrayList<>();
        while (all.size() < 4 * perThread) {
            List<Integer> taken = box.take(Long.MAX_VALUE);
            // Three items of 30 bytes are below 100, the fourth is taken in, the fifth waits.
            assertThat(taken).hasSizeBetween(1, 4);
            all.addAll(taken);
        }
        senders.forEach(Threads::join);
        assertThat(all).doesNotHaveDuplicates().hasSize(4 * perThread);
    }

    @Test
    void closingKeepsOrDiscardsWhatIsThereAndTakesNoMore() throws Exception {
        Mailbox<Integer> kept = new Mailbox<>();
        kept.put(1);
        kept.close(false);
        kept.put(2);
        assertThat(kept.take(Long.MAX_VALUE)).containsExactly(1);
        assertThat(kept.take(Long.MAX_VALUE)).isEmpty();

        Mailbox<Integer> discarded = new Mailbox<>();
        discarded.put(1);
        discarded.close(true);
        assertThat(discarded.take(Long.MAX_VALUE)).isEmpty();
    }
}
